# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A shim driven without containerd: `start` and `delete` as containerd would run them, RPCs with
# tests/tools/shimctl/shimctl, events taken by shimctl too. The stock shim is driven in the same way.
#
# Of the current container: $id, $bundle, $socket (of its shim), $events (file with one line per event).
# shellcheck disable=SC2034,SC2119,SC2120,SC2154

shimctl() { TIMEOUT=$((${TIMEOUT:-20} * SLOW)) "$BUILD/bin/shimctl" "$@"; }

# The stock shim of containerd 2 knows version 3 only; ours answers both.
task_service() {
	case $node_version in
	1.*) echo containerd.task.v2.Task ;;
	*) echo containerd.task.v3.Task ;;
	esac
}

shim_binary() {
	case $RUNTIME in
	stock) echo "$node_bin/containerd-shim-runc-v2" ;;
	*) echo "$BUILD/bin/containerd-shim-crossarch-v2" ;;
	esac
}

# shim ARGUMENT...: the binary, in the bundle, with what containerd puts into its environment
shim() {
	(cd "$bundle" && TTRPC_ADDRESS=$events.sock GRPC_ADDRESS=$node_socket NAMESPACE=$node_name GOMAXPROCS=2 \
		PATH=${node_path:+$node_path:}$PATH timeout -k 5 $((20 * SLOW)) "$(shim_binary)" -namespace "$node_name" -address "$node_socket" \
		-publish-binary "$node_bin/containerd" "$@")
}

rpc() { SERVICE=$(task_service) shimctl call "$socket" "$@"; }

# reply FIELD METHOD...: one field of the reply
reply() {
	local field=$1
	shift
	rpc "$@" | sed -n "s/^$field=//p"
}

# rpc_refused CODES TEXT METHOD...: the call fails with one of the codes ("5", "2|9"), its text matching
rpc_refused() {
	local codes=$1 text=$2 answer
	shift 2
	answer=$(refused rpc "$@")
	[[ ${answer%% *} =~ ^($codes)$ ]] || fail "$1: got \"$answer\", wanted code $codes"
	contains "$answer" "$text"
}

# words_json WORD...: as the elements of a JSON array
words_json() {
	printf '%s\0' "$@" | sed -z 's/[\\"]/\\&/g; s/\n/\\n/g; s/.*/"&"/' | tr '\0' ',' | sed 's/,$//'
}

capabilities='"CAP_CHOWN","CAP_DAC_OVERRIDE","CAP_KILL","CAP_SETUID","CAP_SETGID","CAP_SYS_ADMIN"'

# process_json PROGRAM...; $terminal, default false
process_json() {
	cat <<-END
		{"terminal":${terminal-false},"user":{"uid":0,"gid":0},"args":[$(words_json "$@")],"env":["PATH=/bin","TERM=xterm"],
		"cwd":"/","capabilities":{"bounding":[$capabilities],"effective":[$capabilities],"permitted":[$capabilities]}}
	END
}

# config_json PROGRAM...; $pid_namespace, $namespaces, $mounts, $resources, $annotations, $cgroups_path, $terminal
# may be set
config_json() {
	cat <<-END
		{"ociVersion":"1.0.2","process":$(process_json "$@"),"root":{"path":"rootfs","readonly":false},"hostname":"raw",
		"annotations":{${annotations-}},
		"mounts":[{"destination":"/proc","type":"proc","source":"proc"},
		{"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["nosuid","mode=755"]},
		{"destination":"/dev/pts","type":"devpts","source":"devpts","options":["nosuid","noexec","newinstance","ptmxmode=0666"]}${mounts:+,$mounts}],
		"linux":{"cgroupsPath":"${cgroups_path-/$node_name/$id}","resources":{"devices":[{"allow":true,"access":"rwm"}]${resources:+,$resources}},
		"namespaces":[{"type":"mount"},{"type":"ipc"},{"type":"uts"}${namespaces:+,$namespaces}${pid_namespace-,{\"type\":\"pid\"\}}]}}
	END
}

# raw_root: a directory with busybox, made once per run
raw_root() {
	[ -e "$scratch/root/bin" ] || {
		local layer
		layer=$(tar -tvf "$images/busybox-${IMAGE_ARCH:-$native}.tar" | sort -nk3 | awk 'END { print $NF }')
		mkdir -p "$scratch/root"
		tar -xOf "$images/busybox-${IMAGE_ARCH:-$native}.tar" "$layer" | tar -C "$scratch/root" -x
	}
	echo "$scratch/root"
}

# Takes events into $events from now on.
take_events() {
	"$BUILD/bin/shimctl" events "$events.sock" "$@" >>"$events" &
	events_pid=$!
	eventually test -S "$events.sock"
}

# raw_new PROGRAM...: id, bundle, config.json
raw_new() {
	id=$(new_id raw)
	bundle=$node/bundles/$id
	mkdir -p "$bundle/rootfs"
	mkfifo "$bundle/log"
	cat <>"$bundle/log" >>"$node/log" & # as containerd: both ends, so that it never ends
	config_json "$@" >"$bundle/config.json"
}

# raw_start [FILE]: the shim, with FILE on its standard input
raw_start() {
	local answer
	answer=$(shim -id "$id" start <"${1-/dev/null}" 2>&1) || fail "start: $answer"
	socket=$(grep -ao 'unix://[^"[:cntrl:]]*' <<<"$answer")
	socket=${socket#unix://}
}

runc_options() {
	shimctl encode containerd.runc.v1.Options binary_name="${binary-$engine}" root="$node/engine" "$@" >"$bundle/options"
	echo "options=containerd.runc.v1.Options:$bundle/options"
}

# mount_file NAME FIELD=VALUE...: an argument for Create
mount_file() {
	local name=$1
	shift
	shimctl encode Mount "$@" >"$bundle/mount-$name"
	echo "rootfs=$bundle/mount-$name"
}

bind_root() { mount_file root type=bind source="$(raw_root)" options=rbind options=ro; }
overlay_root() {
	mkdir -p "$bundle/upper" "$bundle/work-overlay"
	mount_file root type=overlay source=overlay options="workdir=$bundle/work-overlay" \
		options="upperdir=$bundle/upper" options="lowerdir=$(raw_root)"
}

# raw_create [FIELD=VALUE...]: of the bundle with a root; $systemd: told to ask systemd for the cgroup
raw_create() {
	rpc Create id="$id" bundle="$bundle" "$(runc_options ${systemd:+systemd_cgroup=true})" "$(overlay_root)" "$@" >/dev/null
}

# raw PROGRAM...: new, started shim, created with $io (an array of fields; default: output into a file)
raw() {
	raw_new "$@"
	raw_start
	raw_create ${io[@]+"${io[@]}"}
}

raw_run() {
	raw "$@"
	rpc Start id="$id" >/dev/null
}

output() { cat "$bundle/output"; }
status_is() { [ "$(reply status State id="$id" "${@:2}")" = "$1" ]; }
pids_are() { [ "$(rpc Pids id="$id" | grep -c '^processes.pid=')" = "$1" ]; }
no_processes() { [ -z "$(node_processes)" ]; }
CREATED=1 RUNNING=2 STOPPED=3 PAUSED=4

# raw_exec EXEC-ID PROGRAM...: registered only; $exec_io like $io
raw_exec() {
	local exec_id=$1
	shift
	process_json "$@" >"$bundle/process"
	rpc Exec id="$id" exec_id="$exec_id" ${exec_io[@]+"${exec_io[@]}"} \
		spec="types.containerd.io/opencontainers/runtime-spec/1/Process:$bundle/process"
}

raw_kill() {
	rpc Kill id="$id" signal=9 all=true 2>/dev/null || :
	rpc Wait id="$id" >/dev/null
}

# raw_end: what containerd does when a container is over; $id is gone afterwards
raw_end() {
	rpc Delete id="$id" >/dev/null
	raw_gone
}

raw_gone() {
	rpc Shutdown id="$id" || : # its connection may break
	shim -id "$id" -bundle "$bundle" delete </dev/null >/dev/null
	rm -rf --one-file-system "$bundle"
}

raw_stop() {
	raw_kill
	raw_end
}

# events_are WORD...: topics without /tasks/ of the container, in order
events_are() { (eventually topics_are "$*") || fail "got:    $(topics)"$'\n'"wanted: $*"; }
topics_are() { [ "$(topics)" = "$1" ]; }
topics() { { grep "container_id=$id " "$events" || :; } | sed 's,^/tasks/\([^ ]*\) .*,\1,' | paste -sd' ' -; }

# engine_that TEXT: an engine, TEXT being shell code that runs before the real one ("$@")
engine_that() {
	binary=$scratch/engines/$id/engine # one in the bundle is refused
	mkdir -p "${binary%/*}"
	cat >"$binary" <<-END
		#!/bin/bash
		real=$(command -v "$engine")
		$1
		exec "\$real" "\$@"
	END
	chmod 0755 "$binary"
}

# What a case that failed half-way leaves would only make the next ones fail.
raw_over() {
	local status=$? pid mount
	jobs -p >"$scratch/jobs" # not through a pipe: what runs there has no jobs
	xargs -r kill <"$scratch/jobs" 2>/dev/null || :
	[ "$status" != 0 ] && [ "$status" != 77 ] || exit "$status"
	for pid in $(node_shims | cut -d' ' -f1) $(node_processes); do
		kill -KILL "$pid" 2>/dev/null || :
	done
	sleep 0.2
	node_mounts | grep "^$node/bundles/" | tac | while read -r mount; do umount -l "$mount"; done
	node_sockets | xargs -r rm -f
	node_cgroups | while read -r mount; do rmdir "$mount" 2>/dev/null || :; done
	exit "$status"
}

# of_shim NAME FUNCTION...: a case with events of its own
of_shim() {
	local name=$1
	shift
	check "$name" with_events "$@"
}
with_events() {
	exec 9>&- # the run's lock is not for what a case starts
	binary=$engine io=(stdout="file:///dev/null" stderr="file:///dev/null") exec_io=()
	events=$scratch/events.$engine.$RANDOM
	take_events
	trap raw_over EXIT
	"$@"
}

fifos() {
	mkfifo "$bundle/in" "$bundle/out" "$bundle/err"
	cat "$bundle/err" >/dev/null &
}
