# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A containerd of one's own: any of the versions tested, with everything it has in one directory, its own
# cgroup parent and its own configuration. The machine's containerd is neither used nor disturbed.
#
# After node_start: $node (directory), $node_name (in cgroups and namespaces), $node_version, $node_socket,
# $node_crun (what to call crun).
# The caller sets $images to what hack/images printed, and may set $node_path to a directory of programs, and
# $node_engines to one of OCI engines, which come before those of the machine.
# shellcheck disable=SC2034,SC2154

containerd_lib=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
: "${BUILD:=$containerd_lib/../../build}"
: "${RUNTIME_TYPE:=io.containerd.crossarch.v2}" "${SLOW:=1}"

node=

# containerd_given DIRECTORY: somebody's own build
containerd_given() {
	local program
	for program in containerd ctr containerd-shim-runc-v2; do
		[ -x "$1/$program" ] || {
			echo "CONTAINERDS: $1 has no $program that can be executed" >&2
			return 1
		}
	done
	readlink -f "$1"
}

# containerd_bin WHICH: directory with containerd, ctr and the stock shim of "installed", a Debian suite or a path
containerd_bin() {
	local root
	case $1 in
	installed)
		dirname "$(command -v containerd)"
		return
		;;
	*/*)
		containerd_given "$1"
		return
		;;
	esac
	# One that cannot be had is an error: without it the path would be that of the machine's own.
	root=$("$containerd_lib/../debs" "$1" "$(dpkg --print-architecture)" containerd) || return
	echo "$root/usr/bin"
}

# engines_beside WHICH OF_INSTALLED: the Debian suite whose engines go with that containerd
engines_beside() {
	case $1 in
	installed) echo "$2" ;;
	*/*) echo sid ;;
	*) echo "$1" ;;
	esac
}

# crun_for WHICH VERSION: a crun that takes what this containerd writes. Debian 12's, before 1.9, knows no
# specification newer than 1.0, which containerd 1.7 and later write; then it is the one of the same suite.
crun_for() {
	case $2:$(crun --version 2>/dev/null | head -n 1) in
	1.[0-6].*) echo crun ;;
	*' 1.'[0-8] | *' 1.'[0-8].*) "$containerd_lib/../engine" "$(engines_beside "$1" trixie)" crun ;;
	*) echo crun ;;
	esac
}

# node_handler NAME TYPE [OPTION...]: one runtime handler of the CRI
node_handler() {
	local name=$1 type=$2 option
	shift 2
	echo "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.$name]"
	echo "  runtime_type = \"$type\""
	echo '  pod_annotations = ["io.crossarch.*"]'
	echo "  [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.$name.options]"
	for option; do
		echo "    $option"
	done
}

# Version 2 of the configuration is what all versions of containerd read.
# restrict_oom_score_adj: where tests run, CAP_SYS_RESOURCE may be missing.
# The plugin "opt" would create /opt/containerd.
node_config() {
	cat <<-END
		version = 2
		root = "$node/root"
		state = "$node/state"
		disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
			"io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
			"io.containerd.tracing.processor.v1.otlp", "io.containerd.nri.v1.nri"]
		[grpc]
		  address = "$node_socket"
		[debug]
		  level = "${NODE_LEVEL:-debug}"
		[plugins."io.containerd.internal.v1.opt"]
		  path = "$node/opt"
		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "localhost/crossarch/pause:native"
		  restrict_oom_score_adj = true
		  stream_server_address = "127.0.0.1"
		  stream_server_port = "0"
		  disable_hugetlb_controller = true
		[plugins."io.containerd.grpc.v1.cri".cni]
		  bin_dir = "/usr/lib/cni"
		  conf_dir = "$node/cni"
	END
	if [ -n "${NODE_DEFAULT-}" ]; then
		echo '[plugins."io.containerd.grpc.v1.cri".containerd]'
		echo "  default_runtime_name = \"$NODE_DEFAULT\""
	fi
	node_handler runc io.containerd.runc.v2 'BinaryName = "runc"'
	node_handler crun io.containerd.runc.v2 "BinaryName = \"$node_crun\""
	node_handler crossarch "$RUNTIME_TYPE" "ConfigPath = \"$node/crossarch-runc.json\""
	node_handler crossarch-crun "$RUNTIME_TYPE" "ConfigPath = \"$node/crossarch-crun.json\""
}

# node_is DIRECTORY: all names follow from it
node_is() {
	node=$1
	node_name=crossarch-${node##*.}
	node_socket=$node/c.sock
}

# node_start [WHICH]: a new one; NODE_TMP is where its directory is made. Socket paths have to stay short.
# NODE_LEVEL is how much it logs, NODE_DEFAULT the handler of pods that name none; with NODE_TMPFS its state is on a tmpfs, as /run is on a real node.
node_start() {
	node_bin=$(containerd_bin "${1:-installed}") || return
	node_is "$(mktemp -d "${NODE_TMP:-/tmp}/ca.XXXXXX")"
	host_change node_remove "$node" -- mkdir "$node/cni" "$node/state"
	[ -z "${NODE_TMPFS-}" ] || mount -t tmpfs -o mode=0711 "$node_name" "$node/state"
	: >"$node/ids"
	node_version=$("$node_bin/containerd" --version | awk '{ sub(/^v/, "", $3); print $3 }')
	node_crun=$(crun_for "${1:-installed}" "$node_version") || return
	echo '{"engine":"runc"}' >"$node/crossarch-runc.json"
	echo "{\"engine\":\"$node_crun\"}" >"$node/crossarch-crun.json"
	node_config >"$node/config.toml"
	# Shims and engines keep their things there, whatever containerd's own directories are.
	[ -e /run/containerd ] || host_change remove_empty /run/containerd -- mkdir -m 0711 /run/containerd
	node_run
}

# node_listen: where containerd says READY=1, as systemd's manager would listen; what comes is in $node/notified
node_listen() {
	# shellcheck disable=SC2016 # perl's
	setsid perl -MSocket -e 'my $s; socket($s, AF_UNIX, SOCK_DGRAM, 0) && bind($s, pack_sockaddr_un($ARGV[0])) or die $!;
		$| = 1; while (defined recv($s, my $text, 4096, 0)) { print "$text\n" }' \
		"$node/notify" >>"$node/notified" 2>&1 </dev/null 9>&- &
	echo $! >"$node/notify.pid"
	disown $!
	until [ -S "$node/notify" ]; do sleep 0.02; done
}

# service_environment: what systemd puts into the environment of a service, process $1 (systemd.exec(5)). Nodes
# are like that, and none of it is for what containerd starts.
service_environment() {
	mkdir -p "$node/credentials"
	export NOTIFY_SOCKET=$node/notify WATCHDOG_USEC=30000000 WATCHDOG_PID=$1 MAINPID=$1 FDSTORE=4 \
		LISTEN_FDS=1 LISTEN_PID=$1 LISTEN_FDNAMES=unit LISTEN_PIDFDID=77 SYSTEMD_EXEC_PID=$1 MANAGERPID=1 \
		INVOCATION_ID=0123456789abcdef0123456789abcdef JOURNAL_STREAM=8:1 LOG_NAMESPACE=unit \
		CREDENTIALS_DIRECTORY=$node/credentials RUNTIME_DIRECTORY=$node/state STATE_DIRECTORY=$node/root \
		CACHE_DIRECTORY=$node/root LOGS_DIRECTORY=$node/logs CONFIGURATION_DIRECTORY=$node \
		MEMORY_PRESSURE_WATCH=/dev/null MEMORY_PRESSURE_WRITE=c29tZSAyMDAwMDAgMjAwMDAwMAA= \
		TRIGGER_UNIT=unit.path TRIGGER_PATH=/x MONITOR_UNIT=unit.service SERVICE_RESULT=success
}

# as_service COMMAND...: becomes it, started as systemd starts a service
as_service() {
	service_environment "$BASHPID"
	exec setsid "$@" 3</dev/null
}

# Our build first in PATH, after $node_path: that is how containerd finds the shim. 9>&-: see host_begin.
node_run() {
	[ -S "$node/notify" ] || node_listen
	PATH=${node_path:+$node_path:}$(readlink -f "$BUILD")/bin:${node_engines:+$node_engines:}$node_bin:$PATH \
		as_service "$node_bin/containerd" --config "$node/config.toml" >>"$node/log" 2>&1 </dev/null 9>&- &
	# In a file: a restart may happen in a subshell.
	echo $! >"$node/pid"
	disown $!
	node_wait
}

# "ok" is what containerd says of the CRI before it answers.
node_cri_answers() { [ ! -x "$BUILD/bin/cri-client" ] || node_cri pods >/dev/null 2>&1; }

# Ready when the CRI answers, which is the last thing to come up.
node_wait() {
	local try
	for try in $(seq 1 $((150 * SLOW))); do
		if node_ctr plugins ls 2>/dev/null | grep -q 'io.containerd.grpc.v1 *cri .* ok' && node_cri_answers; then
			return 0
		fi
		if ! node_alive; then
			echo "containerd ended while starting:" >&2
			tail -n 20 "$node/log" >&2
			return 1
		fi
		sleep 0.1
	done
	echo "containerd not ready after $try tries:" >&2
	tail -n 20 "$node/log" >&2
	return 1
}

node_alive() { kill -0 "$(cat "$node/pid")" 2>/dev/null; }

# node_kill: as a crash would
node_kill() {
	kill -KILL "$(cat "$node/pid")" 2>/dev/null || return 0
	while node_alive; do
		sleep 0.05
	done
}

node_restart() {
	node_kill
	node_run
}

# From 2.3 on ctr would say on standard error what containerd thinks of cgroup v1.
export CONTAINERD_SUPPRESS_DEPRECATION_WARNINGS=1

# A client that waits for an answer for a minute has met a bug; nothing here takes that long ($PATIENCE).
# --foreground, for otherwise it could not use a terminal.
node_ctr() { timeout --foreground -k 5 "$((${PATIENCE:-60} * SLOW))" "$node_bin/ctr" --address "$node_socket" "$@"; }

node_cri() { CRI_ENDPOINT=$node_socket CRI_TIMEOUT=$((120 * SLOW)) \
		timeout --foreground -k 5 $((60 * SLOW)) "$BUILD/bin/cri-client" "$@"; }

# node_pod HANDLER [OPTION...]: a pod with the machine's network, its id
node_pod() {
	local handler=$1 id
	shift
	id=$(node_cri runp --host-network --runtime "$handler" --cgroup-parent "/$node_name" \
		--log-dir "$node/logs/$RANDOM$RANDOM" "$@") || return
	echo "$id" >>"$node/ids"
	echo "$id"
}

node_clear_pods() {
	local id
	[ -x "$BUILD/bin/cri-client" ] || return 0
	for id in $(node_cri pods | cut -d' ' -f1); do
		node_cri stopp "$id"
		node_cri rmp "$id"
	done
}

# node_import [--all-platforms] NAME...: archives made by hack/images, for the CRI and for ctr
node_import() {
	local name options=(--no-unpack)
	[ "$1" != --all-platforms ] || { options+=("$1") && shift; }
	for name; do
		node_ctr --namespace k8s.io images import "${options[@]}" "$images/$name.tar" >/dev/null
		node_ctr --namespace "$node_name" images import "${options[@]}" "$images/$name.tar" >/dev/null
	done
}

# node_shims: "pid command line" of the shims that serve this containerd. One grep over all command lines,
# whose arguments end in NUL.
node_shims() {
	local file
	{ grep -slzxF -- "$node_socket" /proc/[0-9]*/cmdline || :; } | while read -r file; do
		[ "$(cat "${file%cmdline}comm" 2>/dev/null)" = containerd-shim ] || continue
		file=${file#/proc/}
		echo "${file%/cmdline} $({ tr '\0' ' ' <"/proc/$file"; } 2>/dev/null)"
	done
}

# node_processes: pids of what runs in containers: members of a cgroup below ours
node_processes() {
	find /sys/fs/cgroup -path "*/$node_name*" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -un
}

node_mounts() { awk -v dir="$node/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo; }

node_cgroups() { find /sys/fs/cgroup -depth -type d -path "*/$node_name*" 2>/dev/null; }

node_bundles() {
	find "$node/state" -mindepth 3 -maxdepth 3 -path '*/io.containerd.runtime.v2.task/*' 2>/dev/null
}

# shim_sockets NAMESPACE KEY: where shims put their socket, KEY being the sandbox's or else the container's
# id; the stock shim's and ours
shim_sockets() {
	local name
	for name in "$node_socket/$1/$2" "$node_socket/$1/$2/crossarch"; do
		echo "/run/containerd/s/$(printf %s "$name" | sha256sum | cut -d' ' -f1)"
	done
}

# Nobody else's sockets are looked at: the names of ours follow from our ids.
node_sockets() {
	local id socket
	[ -n "$(ls /run/containerd/s 2>/dev/null)" ] || return 0
	while read -r id; do
		shim_sockets k8s.io "$id"
		shim_sockets "$node_name" "$id"
	done <"$node/ids" | while read -r socket; do
		[ ! -e "$socket" ] || echo "$socket"
	done
}

# What runc and crun know of containers of this node; both note the bundle.
node_engine_states() {
	{ grep -slF -- "$node/" /run/containerd/*/{k8s.io,"$node_name"}/*/{state.json,status} || :; } |
		while read -r file; do
			dirname "$file"
		done
}

# node_clear: kill and delete all that runs, the way its owner would, then what did not obey
node_clear() {
	local id
	node_clear_pods
	for id in $(node_ctr --namespace "$node_name" task ls -q); do
		node_ctr --namespace "$node_name" task delete --force "$id"
	done
	for id in $(node_ctr --namespace "$node_name" container ls -q); do
		node_ctr --namespace "$node_name" container delete "$id"
	done
	node_purge
}

# node_purge: kill and remove whatever node_leftovers would find
node_purge() {
	local pid mount cgroup
	for pid in $(node_shims | cut -d' ' -f1) $(node_processes); do
		kill -KILL "$pid" 2>/dev/null || :
	done
	node_mounts | tac | while read -r mount; do
		umount -l "$mount" || :
	done
	node_sockets | xargs -r rm -f
	node_engine_states | xargs -r rm -rf
	for cgroup in $(node_cgroups); do
		rmdir "$cgroup" 2>/dev/null || { sleep 0.2 && rmdir "$cgroup"; } || :
	done
}

# node_leftovers: everything a container may have left on the machine, one line each
node_leftovers() {
	node_shims | sed 's/^/process: /'
	node_processes | sed 's/^/process in a container: /'
	node_mounts | sed 's/^/mount: /'
	node_bundles | sed 's/^/bundle: /'
	node_sockets | sed 's/^/socket: /'
	node_engine_states | sed "s/^/engine's state: /"
	# The parents CRI and ctr made stay; what is named after a container must not.
	find /sys/fs/cgroup -mindepth 1 -type d -path "*/$node_name*/*" 2>/dev/null | sed 's/^/cgroup: /'
}

# node_remove DIRECTORY: what a run left that was killed
node_remove() {
	node_is "$1"
	node_stop
}

# node_stop: take everything down that belongs to this containerd, in whatever state it is
node_stop() {
	[ -d "$node" ] || return 0
	node_kill
	kill "$(cat "$node/notify.pid")" 2>/dev/null || :
	node_purge
	rm -rf /run/containerd/*/"$node_name"
	rm -rf --one-file-system "$node"
	node=
}
