# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A registry for the suites that pull: Debian's docker-registry on 127.0.0.1, which containerd takes as plain http,
# with the images of hack/registry-images in the repository "app". tests/tools/registry-proxy stands before it.
#
#   $registry         HOST:PORT of the proxy, for the names of images
#   $registry_basic   the same images, with basic authentication of docker-registry's own
#   $registry_token   the same images, for who has a token; both know the user node with the password secret
#   $registry_rules, $registry_log   what the proxies do (registry-proxy tells how), and what they were asked
#
# A suite sources this after lib.sh and calls registry_start once, in suite_host; it ends with the suite. Whatever
# happens to the suite, the next one takes it down.
# shellcheck disable=SC2034,SC2154

registry_user=node
registry_password=secret
registry_repository=app

# A node looks for hosts.toml of registries there (registry_mirror).
eval "$(declare -f node_config | sed '1s/.*/node_config_without_registry()/')"
node_config() {
	node_config_without_registry
	printf '[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "%s"\n' "$node/certs.d"
}

# --- processes ------------------------------------------------------------------------------------

# In a journal of a run that was killed, hence without any function. Each is the leader of its group.
# shellcheck disable=SC2016
registry_end='for file in "$0"/*/pid; do
	pid=$(cat "$file") && grep -qsF -- "$0" "/proc/$pid/cmdline" && kill -KILL -- "-$pid"
done 2>/dev/null
rm -rf "$0"'

# registry_run NAME COMMAND...: in the background, with a directory of its own
registry_run() {
	local place=$registry_dir/$1
	shift
	: >"$place/output"
	setsid "$@" >>"$place/output" 2>&1 </dev/null 9>&- &
	echo $! >"$place/pid"
	disown $!
}

# registry_kill NAME
registry_kill() {
	local pid
	pid=$(cat "$registry_dir/$1/pid")
	kill -KILL -- "-$pid" 2>/dev/null || return 0
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.02
	done
}

# registry_server NAME [AUTH]: docker-registry on the common storage; its port in $port
registry_server() {
	local place=$registry_dir/$1
	mkdir -p "$place"
	cat >"$place/config.yml" <<-END
		version: 0.1
		log: {level: info, accesslog: {disabled: true}}
		storage:
		  filesystem: {rootdirectory: $registry_dir/storage}
		  maintenance: {uploadpurging: {enabled: false}}
		http: {addr: "127.0.0.1:0", relativeurls: true}
		${2-}
	END
	registry_run "$1" "$registry_program" serve "$place/config.yml"
	until port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$place/output" | grep -m1 .); do
		kill -0 "$(cat "$place/pid")" || { cat "$place/output" && return 1; } >&2
		sleep 0.02
	done
}

# registry_proxy NAME PORT UPSTREAM-PORT [USER PASSWORD]: its own port in $port
registry_proxy() {
	local name=$1
	shift
	mkdir -p "$registry_dir/$name"
	rm -f "$registry_dir/$name/port"
	touch "$registry_dir/$name"/{rules,log}
	registry_run "$name" "$integration/../tools/registry-proxy" "$registry_dir/$name" "$@"
	until [ -e "$registry_dir/$name/port" ]; do
		kill -0 "$(cat "$registry_dir/$name/pid")" || { cat "$registry_dir/$name/output" && return 1; } >&2
		sleep 0.02
	done
	port=$(cat "$registry_dir/$name/port")
}

# registry_down, registry_up: the plain proxy, at the same port
registry_down() { registry_kill plain; }
registry_up() { registry_proxy plain "${registry##*:}" "$registry_port"; }

registry_start() {
	local port salt=abcdefghijklmnopqrstuu
	registry_program=$("$hack/debs" trixie "$(dpkg --print-architecture)" docker-registry)/usr/bin/docker-registry || return
	registry_layout=$("$hack/registry-images") || return
	registry_dir=$(mktemp -d)
	host_change bash -c "$registry_end" "$registry_dir" -- mkdir "$registry_dir/storage" || return
	registry_server server || return
	registry_port=$port
	mkdir "$registry_dir/basic"
	perl -e 'print "$ARGV[0]:", crypt($ARGV[1], "\$2y\$05\$$ARGV[2]"), "\n"' "$registry_user" "$registry_password" \
		"$salt" >"$registry_dir/basic/htpasswd"
	registry_server basic "auth: {htpasswd: {realm: test, path: $registry_dir/basic/htpasswd}}" || return
	registry_basic=127.0.0.1:$port
	registry_proxy plain 0 "$registry_port" || return
	registry=127.0.0.1:$port registry_rules=$registry_dir/plain/rules registry_log=$registry_dir/plain/log
	registry_proxy token 0 "$registry_port" "$registry_user" "$registry_password" || return
	registry_token=127.0.0.1:$port
	registry_push_all
}

# --- what is in it --------------------------------------------------------------------------------

registry_http() { curl -sS --fail-with-body --noproxy '*' "$@"; }

registry_url() { echo "http://127.0.0.1:$registry_port/v2/$registry_repository/$1"; }

# registry_blob FILE: under its own digest
registry_blob() {
	local digest place
	digest=sha256:$(sha256sum <"$1" | cut -d' ' -f1)
	place=$(registry_http -X POST -D - -o /dev/null "$(registry_url blobs/uploads/)" | tr -d '\r' |
		sed -n 's/^[Ll]ocation: //p')
	registry_http -o /dev/null -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$1" \
		"http://127.0.0.1:$registry_port$place&digest=$digest"
}

# registry_manifest FILE NAME: a manifest or an index, as a tag or under its digest
registry_manifest() {
	registry_http -o /dev/null -X PUT -H "Content-Type: $(jq -r .mediaType "$1")" --data-binary "@$1" \
		"$(registry_url "manifests/$2")"
}

# registry_tree FILE [NAME]: a manifest or index of the layout with all below it; blobs that are there are not sent
registry_tree() {
	local blobs digest file
	blobs=$(dirname "$1")
	for digest in $(jq -r '.manifests[]?.digest' "$1"); do
		registry_tree "$blobs/${digest#sha256:}" || return
	done
	for digest in $(jq -r '.config.digest?, .layers[]?.digest | select(.)' "$1"); do
		file=$blobs/${digest#sha256:}
		[ ! -e "$registry_dir/storage/docker/registry/v2/repositories/$registry_repository/_layers/sha256/${digest#sha256:}" ] ||
			continue
		registry_blob "$file" || return
	done
	registry_manifest "$1" "${2-sha256:$(basename "$1")}"
}

# registry_push LAYOUT [TAG]...: those tags of the layout, or all
registry_push() {
	local layout=$1 digest tag
	shift
	jq -r '.manifests[] | "\(.digest) \(.annotations["org.opencontainers.image.ref.name"])"' "$layout/index.json" |
		while read -r digest tag; do
			[ $# = 0 ] || grep -qxF -- "$tag" < <(printf '%s\n' "$@") || continue
			registry_tree "$layout/blobs/sha256/${digest#sha256:}" "$tag" || return
		done
}

registry_push_all() { registry_push "$registry_layout"; }

# registry_digest TAG [ARCH[/VARIANT]]: of the index or image, or of its member
registry_digest() {
	registry_http -H 'Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json' \
		"$(registry_url "manifests/$1")" >"$scratch/registry-manifest"
	if [ $# = 1 ]; then
		echo "sha256:$(sha256sum <"$scratch/registry-manifest" | cut -d' ' -f1)"
	else
		jq -r --arg p "$2" '.manifests[] | select((.platform.architecture + (.platform.variant // "" | if . == "" then "" else "/" + . end)) == $p).digest' \
			"$scratch/registry-manifest"
	fi
}

# registry_move TAG TAG-OR-DIGEST: from now on TAG is what the other one is
registry_move() {
	registry_http -H 'Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json' \
		"$(registry_url "manifests/$2")" >"$scratch/registry-manifest"
	registry_manifest "$scratch/registry-manifest" "$1"
}

# registry_big TAG MB [ARCH]...: an index of a native image and one for each ARCH ($foreign) that has two random layers
# of MB/2 megabytes, which nothing else has
registry_big() {
	local tag=$1 mb=$2 layout=$registry_dir/layout-$1 arch entries='' layers diffs part digest size
	local oci=application/vnd.oci.image
	shift 2
	rm -rf "$layout"
	mkdir -p "$layout/blobs/sha256"
	digest=$(registry_digest multi "$native")
	size=$(stat -c %s "$registry_layout/blobs/sha256/${digest#sha256:}")
	entries="{\"mediaType\":\"$oci.manifest.v1+json\",\"digest\":\"$digest\",\"size\":$size,\"platform\":{\"architecture\":\"$native\",\"os\":\"linux\"}}"
	cp -r "$registry_layout/blobs" "$layout/"
	[ $# != 0 ] || set -- "$foreign"
	for arch; do
		digest=$(registry_digest multi "$arch")
		jq -c .layers[0] "$layout/blobs/sha256/${digest#sha256:}" >"$layout/layers"
		digest=$(jq -r .config.digest "$layout/blobs/sha256/${digest#sha256:}")
		jq -c .rootfs.diff_ids[0] "$layout/blobs/sha256/${digest#sha256:}" >"$layout/diffs"
		for part in 1 2; do
			mkdir "$layout/root"
			head -c "$((mb * 500000))" /dev/urandom >"$layout/root/random-$part"
			tar -C "$layout/root" --format=gnu -cf "$layout/tar" .
			rm -r "$layout/root"
			registry_keep "$layout/tar"
			printf '{"mediaType":"%s.layer.v1.tar","digest":"%s","size":%d}\n' "$oci" "$digest" "$size" >>"$layout/layers"
			echo "\"$digest\"" >>"$layout/diffs"
		done
		layers=$(jq -cs . "$layout/layers") diffs=$(jq -cs . "$layout/diffs")
		printf '{"architecture":"%s","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["/bin/sh"]},"rootfs":{"type":"layers","diff_ids":%s}}' \
			"$arch" "$diffs" >"$layout/json"
		registry_keep "$layout/json"
		printf '{"schemaVersion":2,"mediaType":"%s.manifest.v1+json","config":{"mediaType":"%s.config.v1+json","digest":"%s","size":%d},"layers":%s}' \
			"$oci" "$oci" "$digest" "$size" "$layers" >"$layout/json"
		registry_keep "$layout/json"
		entries+=",{\"mediaType\":\"$oci.manifest.v1+json\",\"digest\":\"$digest\",\"size\":$size,\"platform\":{\"architecture\":\"$arch\",\"os\":\"linux\"}}"
	done
	printf '{"schemaVersion":2,"mediaType":"%s.index.v1+json","manifests":[%s]}' "$oci" "$entries" >"$layout/json"
	registry_keep "$layout/json"
	registry_tree "$layout/blobs/sha256/${digest#sha256:}" "$tag"
	rm -rf "$layout"
}

# registry_keep FILE: into registry_big's layout, under its digest; $digest and $size tell of it
registry_keep() {
	digest=sha256:$(sha256sum <"$1" | cut -d' ' -f1)
	size=$(stat -c %s "$1")
	mv "$1" "$layout/blobs/sha256/${digest#sha256:}"
}

# --- what the proxies do --------------------------------------------------------------------------

# registry_rule [RULE]...: these and no others, for both proxies
registry_rule() {
	printf '%s\n' "$@" >"$registry_rules.new"
	cp "$registry_rules.new" "$registry_dir/token/rules.new"
	mv "$registry_dir/token/rules.new" "$registry_dir/token/rules"
	mv "$registry_rules.new" "$registry_rules"
}

# registry_asked [PATTERN]: the requests so far, of both; registry_forget: from here on
registry_asked() { grep -h -- "${1-}" "$registry_dir"/{plain,token}/log; }
registry_forget() { tee "$registry_dir"/{plain,token}/log </dev/null; }

# --- nodes ----------------------------------------------------------------------------------------

# registry_mirror HOST [HOST:PORT]: images of HOST come from there ($registry)
registry_mirror() {
	mkdir -p "$node/certs.d/$1"
	printf 'server = "https://%s"\n[host."http://%s"]\n  capabilities = ["pull", "resolve"]\n' "$1" "${2-$registry}" \
		>"$node/certs.d/$1/hosts.toml"
}

# registry_config [HOST [USER PASSWORD]]: a config.json with credentials, its path on standard output
registry_config() {
	local file
	file=$(mktemp "$scratch/credentials.XXXXXX")
	printf '{"auths":{"%s":{"auth":"%s"}}}' "${1-$registry_basic}" \
		"$(printf '%s:%s' "${2-$registry_user}" "${3-$registry_password}" | base64 -w0)" >"$file"
	echo "$file"
}
