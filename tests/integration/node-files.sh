# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A node laid out as a distribution lays it out, on this machine: /etc, /run, /usr and /var of a mount namespace of
# its own, so that every path is the real one and nothing outside changes. Its containerd is a real one; who renders
# its configuration and restarts it is played here, as the distribution does it.
# shellcheck disable=SC2016,SC2034,SC2154,SC2317

laid_out=$integration/distributions

# files_begin: afterwards inside COMMAND... runs among those files
files_begin() {
	local dir
	files=$(mktemp -d "$scratch/files.XXXXXX")
	unshare --mount --propagation private sleep infinity 9>&- &
	holder=$!
	trap files_end EXIT
	eventually another_namespace
	for dir in etc run usr var; do
		mkdir -p "$files/$dir/upper" "$files/$dir/work"
		inside mount -t overlay -o "lowerdir=/$dir,upperdir=$files/$dir/upper,workdir=$files/$dir/work" overlay "/$dir"
	done
	rm -rf "$files/service"
	mkdir "$files/service" "$files/settings"
	# what this machine itself has of it
	inside rm -rf /etc/containerd /run/k3s /run/k0s /var/lib/rancher /var/snap
	inside rm -f /run/containerd/containerd.sock
	for dir in systemctl snap rc-service; do
		service_program "$dir"
	done
}

another_namespace() {
	[ "$(readlink "/proc/$holder/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ] &&
		[ "$(cat "/proc/$holder/comm")" = sleep ]
}

files_end() {
	[ ! -e "$files/service/pid" ] || kill -KILL "$(cat "$files/service/pid")" 2>/dev/null || :
	[ ! -e "$files/service/watcher" ] || kill -KILL "$(cat "$files/service/watcher")" 2>/dev/null || :
	kill -KILL "$holder" 2>/dev/null || :
	wait "$holder" 2>/dev/null || :
}

# What containerd has in its PATH, and the person who calls the command.
inside() {
	PATH=$files/service:$(readlink -f "$BUILD")/bin:$node_bin:$PATH nsenter --mount="/proc/$holder/ns/mnt" -- "$@"
}

# put FILE: standard input becomes it
put() { inside sh -c 'mkdir -p "${1%/*}" && cat >"$1"' sh "$1"; }

# --- the service ------------------------------------------------------------------------------------

# service_program NAME: notes what it is told, and starts containerd anew
service_program() {
	cat >"$files/service/$1" <<-END
		#!/bin/bash
		echo "$1 \$*" >>"$files/service/calls"
		exec "$files/service/restart"
	END
	chmod 0755 "$files/service/$1"
}

calls() { cat "$files/service/calls" 2>/dev/null || :; }

# service CONFIG SOCKET: how containerd is started; the function renders (its text goes into the script)
# With $files/service/broken it does not come up with a handler of ours.
service() {
	config=$1 socket=$2
	{
		echo '#!/bin/bash'
		declare -p config socket files
		declare -f render
		cat <<-'END'
			[ ! -e "$files/service/pid" ] || kill -KILL "$(cat "$files/service/pid")" 2>/dev/null
			rm -f "$socket"
			render
			if [ -e "$files/service/broken" ] && containerd --config "$config" config dump | grep -q 'runtimes.crossarch'; then
				echo "containerd.service: start failed"
				exit 1
			fi
			mkdir -p "${socket%/*}"
			setsid containerd --config "$config" --address "$socket" --root "$files/root" --state "$files/state" \
				>>"$files/service/log" 2>&1 </dev/null 9>&- &
			echo $! >"$files/service/pid"
			for try in $(seq 1 300); do
				ctr --address "$socket" plugins ls 2>/dev/null | grep -q 'io.containerd.grpc.v1 *cri .* ok' && exit 0
				sleep 0.1
			done
			tail -n 20 "$files/service/log"
			exit 1
		END
	} >"$files/service/restart"
	chmod 0755 "$files/service/restart"
}

started() { inside "$files/service/restart"; }

# --- how each one makes the file that containerd reads ---------------------------------------------------

rancher_files() {
	local name=$1 form=$2
	sed "s/k3s/$name/g" "$laid_out/k3s-$form.toml" >"$files/base"
	export name
	# Go's template is one line here, so that this can render it: the base in its place.
	render() {
		local dir=${config%/*} template
		mkdir -p "$dir"
		for template in "$dir/config-v3.toml.tmpl" "$dir/config.toml.tmpl"; do
			[ -e "$template" ] || continue
			sed -e "/^{{ template \"base\" \. }}$/{r $files/base" -e 'd}' "$template" >"$config"
			return
		done
		cp "$files/base" "$config"
	}
	service "/var/lib/rancher/$name/agent/etc/containerd/config.toml" /run/k3s/containerd/containerd.sock
	inside bash -c "$(declare -p config files); $(declare -f render); render"
	place=${config%/*}
}

k0s_files() {
	local form=$1
	cp "$laid_out/k0s-cri-$form.toml" "$files/base"
	sed "s/NOTATION/${form#v}/" "$laid_out/k0s.toml" | put /etc/k0s/containerd.toml
	inside mkdir -p /etc/k0s/containerd.d /var/lib/k0s/bin
	# A merge patch only adds here, except for the name of the default.
	render() {
		local file name
		mkdir -p /run/k0s
		cp "$files/base" /run/k0s/containerd-cri.toml
		for file in /etc/k0s/containerd.d/*.toml; do
			[ -e "$file" ] || continue
			name=$(sed -n 's/^ *default_runtime_name = //p' "$file")
			[ -z "$name" ] || sed -i "s/default_runtime_name = .*/default_runtime_name = $name/" /run/k0s/containerd-cri.toml
			sed -e '/^version/d' -e '/^# crossarch: for every pod/,/default_runtime_name/d' "$file" >>/run/k0s/containerd-cri.toml
		done
	}
	service /etc/k0s/containerd.toml /run/k0s/containerd.sock
	inside bash -c "$(declare -p config files); $(declare -f render); render"
	place=/etc/k0s/containerd.d
}

microk8s_files() {
	render() {
		sed -e 's,${SNAP_DATA},/var/snap/microk8s/current,g' -e 's,${RUNTIME},runc,g' -e 's,${SNAPSHOTTER},overlayfs,g' \
			/var/snap/microk8s/current/args/containerd-template.toml >"$config"
	}
	inside mkdir -p /var/snap/microk8s/6364/args
	inside ln -s 6364 /var/snap/microk8s/current
	put /var/snap/microk8s/current/args/containerd-template.toml <"$laid_out/microk8s-template.toml"
	service /var/snap/microk8s/6364/args/containerd.toml /var/snap/microk8s/common/run/containerd.sock
	inside bash -c "$(declare -p config files); $(declare -f render); render"
	place=/var/snap/microk8s/6364/args
}

# main_files FIXTURE: containerd's own places; nothing is rendered
main_files() {
	put /etc/containerd/config.toml <"$laid_out/$1"
	render() { :; }
	service /etc/containerd/config.toml /run/containerd/containerd.sock
	place=/etc/containerd
}
