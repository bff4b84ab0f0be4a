# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the suites about a pod that chooses its platform have in common. Sourced after lib.sh and registry.sh.
# shellcheck disable=SC2034,SC2154

RUNTIME=crossarch
image=$busybox:$native

# A handler with settings of its own, which a case writes, and statistics as often as there can be.
eval "$(declare -f node_config | sed '1s/.*/node_config_one_platform()/')"
node_config() {
	node_config_one_platform |
		sed '/^\[plugins\."io\.containerd\.grpc\.v1\.cri"\]$/a\  stats_collect_period = 1'
	node_handler class "$RUNTIME_TYPE" "ConfigPath = \"$node/class.json\""
	node_handler userns "$RUNTIME_TYPE"
}

suite_host() {
	[ -e /usr/lib/binfmt.d/qemu-s390x.conf ] || skip_all "missing qemu-user-static: run hack/setup"
	! declare -F suite_host_one_platform >/dev/null || suite_host_one_platform || return
	binfmt_mount
	handlers_for "$foreign" arm s390x
	registry_start
}

k8s() { node_ctr --namespace k8s.io "$@"; }

# settings [KEY VALUE]...: of the handler "class", values as JSON
settings() {
	local text="\"engine\":\"${engine/#crun/$node_crun}\""
	while [ $# -gt 0 ]; do
		text+=",\"$1\":$2"
		shift 2
	done
	echo "{$text}" >"$node/class.json"
}

# wanting PLATFORM [POD-OPTION...]: a pod that wants it
wanting() {
	local platform=$1
	shift
	pod --annotation "io.crossarch.platform=$platform" "$@"
}

# have TAG: the image is on this node, as the kubelet sees to it
have() { cri image "$registry/app:$1" >/dev/null 2>&1 || cri pull "$registry/app:$1" >/dev/null; }

# machine CONTAINER: what its programs are made for
machine() { cri exec "$1" -- uname -m; }

# refused_for CODE COMMAND...: in one line; prints it
refused_for() {
	local code=$1 answer
	shift
	answer=$(refused "$@") || { echo "$answer" >&2 && return 1; }
	contains "$answer" "crossarch?$code?: "
	contains "$answer" '. Fix: '
	equal "$(grep -c 'crossarch\[' <<<"$answer")" 1
	[ "${#answer}" -lt 1500 ] || fail "too long: $answer"
	echo "$answer"
}

# warned CODE-OR-WORDS: containerd's log has such a line
warned() { grep -qF -- "$1" "$node/log" || fail "no line in containerd's log with: $1"; }

# --- images ---------------------------------------------------------------------------------------

# collect: containerd's garbage collection, at once
collect() {
	k8s images tag --force localhost/crossarch/pause:native localhost/collect:now >/dev/null
	k8s images rm --sync localhost/collect:now >/dev/null
}

# app_images: names of images of the registry, whatever it is reached as
app_images() { k8s images ls -q | grep "/app[:@]" || :; }

# expire_pulls: as if the day were over for which what an interrupted pull had got is kept
expire_pulls() {
	k8s leases ls -q | { grep ^crossarch-pull- || :; } | xargs -r "$node_bin/ctr" --address "$node_socket" -n k8s.io leases rm >/dev/null
}

# forget: this node has no image of the registry any more
forget() {
	local id
	for id in $(cri images | awk '/\/app[:@]/ { print $1 }'); do
		cri rmi "$id" >/dev/null
	done
	expire_pulls
	app_images | xargs -r "$node_bin/ctr" --address "$node_socket" -n k8s.io images rm >/dev/null
	collect
}

# kubelet_pulls [--auth USER:PASSWORD] IMAGE: its id, as the kubelet gets it; the node has nothing else of the registry
kubelet_pulls() {
	forget
	cri pull "$@"
}

# member TAG ARCH[/VARIANT]: the reference to that one image of the index
member() { echo "$registry/app@$(registry_digest "$1" "$2")"; }

# --- what stays behind ------------------------------------------------------------------------------

# helpers: processes that choose or pull for this containerd
helpers() {
	local file
	{ grep -slzxF -- "$node_socket" /proc/[0-9]*/cmdline || :; } | while read -r file; do
		case $(tr '\0' ' ' <"$file" 2>/dev/null) in
		*choose-platform*) tr '\0' ' ' <"$file" 2>/dev/null && echo ;;
		esac
	done
}

# of_pulls: what there is in containerd, and in processes, of pulls that have ended
of_pulls() {
	k8s leases ls -q | sed 's/^/lease: /'
	k8s content active | tail -n +2 | sed 's/^/being written: /'
	helpers | sed 's/^/process: /'
}

nothing_of_pulls() { [ -z "$(of_pulls)" ]; }

pulls_are_over() { (eventually nothing_of_pulls) || fail "$(of_pulls)"; }

# active_snapshots: those of containers, and what is being unpacked
active_snapshots() { k8s snapshots ls | awk '$NF == "Active" { print $1 }'; }

# --- images of one's own --------------------------------------------------------------------------------------

# registry_json JSON: a small blob of the registry; "DIGEST SIZE"
registry_json() {
	printf %s "$1" >"$scratch/registry-json"
	registry_blob "$scratch/registry-json"
	echo "sha256:$(sha256sum <"$scratch/registry-json" | cut -d' ' -f1) $(stat -c %s "$scratch/registry-json")"
}

# registry_reconfigured TAG INDEX FILTER [OF-MANIFESTS [OF-INDEX]]: TAG becomes INDEX with the configuration of its
# members changed by the filter for jq, which has $arch and $foreign; and with their manifests and the index itself
registry_reconfigured() {
	local tag=$1 filter=$3 of_manifests=${4-.} of_index=${5-.} index manifest config arch digest size entries=()
	index=$(registry_http -H "Accept: application/vnd.oci.image.index.v1+json" "$(registry_url "manifests/$2")")
	for digest in $(jq -r '.manifests[].digest' <<<"$index"); do
		manifest=$(registry_http -H "Accept: application/vnd.oci.image.manifest.v1+json" "$(registry_url "manifests/$digest")")
		config=$(registry_http "$(registry_url "blobs/$(jq -r .config.digest <<<"$manifest")")")
		arch=$(jq -r .architecture <<<"$config")
		config=$(jq -c --arg arch "$arch" --arg foreign "$foreign" "$filter" <<<"$config")
		read -r digest size < <(registry_json "$config")
		manifest=$(jq -c --arg d "$digest" --argjson s "$size" ".config.digest = \$d | .config.size = \$s | $of_manifests" <<<"$manifest")
		printf %s "$manifest" >"$scratch/registry-json"
		digest=sha256:$(sha256sum <"$scratch/registry-json" | cut -d' ' -f1)
		registry_manifest "$scratch/registry-json" "$digest"
		entries+=("$(jq -c --arg d "$digest" --argjson s "$(stat -c %s "$scratch/registry-json")" \
			'{mediaType, digest: $d, size: $s}' <<<"$manifest")")
	done
	jq -c --argjson e "$(printf '%s\n' "${entries[@]}" | jq -cs .)" \
		".manifests = ([.manifests, \$e] | transpose | map(.[0] + .[1])) | $of_index" \
		<<<"$index" >"$scratch/registry-json"
	registry_manifest "$scratch/registry-json" "$tag"
}
