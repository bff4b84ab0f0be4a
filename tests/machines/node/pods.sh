# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Pods on the node in the virtual machine, as a kubelet makes them, and the cases that all nodes share. The caller has
# sourced tests/integration/lib.sh, tests/machines/machine.sh and machine.sh of this directory; $native and the like
# are the node's from here on.
# shellcheck disable=SC2016,SC2034,SC2154

native=$VM_ARCH
foreign=arm64
[ "$native" != arm64 ] || foreign=amd64
native_machine=${machine_of[$native]} foreign_machine=${machine_of[$foreign]}

# --- what a kubelet does -------------------------------------------------------------------------------

in_cri() {
	PATIENCE=${PATIENCE:-60} vm env CRI_ENDPOINT=/run/containerd/containerd.sock CRI_TIMEOUT=$((50 * SLOW)) \
		/root/cri-client "$@"
}

# run_pod NAME HANDLER [OPTION...]: its id, also in the file pod-NAME. The slice is named after the uid as the
# kubelet names it, and made by it.
run_pod() {
	local name=$1 handler=$2 uid id
	shift 2
	uid=$(cat /proc/sys/kernel/random/uuid)
	slice_of "$uid" >"$scratch/slice-$name"
	vm systemctl start "$(cat "$scratch/slice-$name")"
	id=$(in_cri runp --runtime "$handler" --name "$name" --uid "$uid" --log-dir "/var/log/pods/default_${name}_$uid" \
		--cgroup-parent "/kubepods.slice/kubepods-besteffort.slice/$(cat "$scratch/slice-$name")" "$@") || return
	echo "$id" >"$scratch/pod-$name"
	echo "$id"
}
slice_of() { echo "kubepods-besteffort-pod${1//-/_}.slice"; }

# start_container POD IMAGE [OPTION...] [-- PROGRAM [ARGUMENT...]]: its id
start_container() {
	local id
	id=$(in_cri create "$1" "$2" --seccomp runtime/default "${@:3}") || return
	in_cri start "$id" >&2 || return
	echo "$id"
}

# remove_named NAME: the pod, and as the kubelet does its slice
remove_named() {
	local id
	id=$(cat "$scratch/pod-$1")
	in_cri stopp "$id" >/dev/null
	in_cri rmp "$id" >/dev/null
	vm systemctl stop "$(cat "$scratch/slice-$1")"
}

# living NAME ARCHITECTURE: a pod that goes on, its container in container-NAME. It ends when it is asked to, for
# otherwise systemd would wait for it at a reboot.
living() {
	local pod
	pod=$(run_pod "$1" crossarch)
	start_container "$pod" "$busybox:$2" -- sh -c 'trap "exit 0" TERM; sleep 100000 & wait' >"$scratch/container-$1"
}
living_exec() { in_cri exec "$(cat "$scratch/container-$1")" -- "${@:2}"; }

has_logged() { [[ $(in_cri logs "$1" 2>&1) == *"$2"* ]]; }
state_of() { in_cri status --field "$2" "$1"; }

use_node_engine() {
	engine=$1
	label="Debian 13 ($native), containerd $version, $engine"
	vm_sh 'mkdir -p /etc/crossarch && echo "{\"engine\": \"$1\"}" >/etc/crossarch/config.json' "$engine"
}

# --- pods ----------------------------------------------------------------------------------------------

# pods run in slices that systemd knows, in the profile that containerd gives
runs() {
	local pod container
	pod=$(run_pod "runs-$1" crossarch)
	container=$(start_container "$pod" "$busybox:$1" -- sh -c 'uname -m; echo to error >&2; exec sleep 1000')
	equal "$(state_of "$container" state)" Running
	equal "$(in_cri exec "$container" -- uname -m)" "$2"
	eventually has_logged "$container" 'to error'
	equal "$(in_cri logs "$container" 2>/dev/null)" "$2"
	equal "$(in_cri logs "$container" 2>&1 >/dev/null)" 'to error'
	contains "$(in_cri exec "$container" -- cat /proc/self/attr/current)" 'cri-containerd.apparmor.d (enforce)'
	equal "$(vm systemctl is-active "cri-containerd-$container.scope")" active
	equal "$(vm systemctl show -P Slice "cri-containerd-$container.scope")" "$(cat "$scratch/slice-runs-$1")"
	remove_named "runs-$1"
	prints_nothing vm systemctl list-units --plain --no-legend "cri-containerd-$container.scope"
}

# refuses ARCHITECTURE CODE
refuses() {
	local pod container
	pod=$(run_pod refuses crossarch)
	container=$(in_cri create "$pod" "$busybox:$1" -- uname -m)
	contains "$(refused in_cri start "$container")" "crossarch\\[$2\\]: */uname is linux/$1"
	contains "$(state_of "$container" message)" 'Fix: '
	equal "$(state_of "$container" state) $(state_of "$container" exit_code)" 'Exited 128'
	remove_named refuses
}

# ExecSync is what the kubelet's probes are.
probes() {
	local pod container
	pod=$(run_pod probes crossarch)
	container=$(start_container "$pod" "$busybox:$1" -- sleep 1000)
	equal "$(in_cri exec "$container" -- echo ready)" ready
	status_of 3 in_cri exec "$container" -- sh -c 'exit 3'
	contains "$(refused in_cri exec --timeout 1 "$container" -- sleep 1000)" DeadlineExceeded
	equal "$(in_cri exec "$container" -- sh -c 'seq 1 50000 | tail -n 1')" 50000
	equal "$(state_of "$container" state)" Running
	remove_named probes
}

stops() {
	local pod polite deaf
	pod=$(run_pod stops crossarch)
	polite=$(start_container "$pod" "$busybox:$1" --name polite -- \
		sh -c 'trap "echo bye; exit 4" TERM; echo ready; while :; do sleep 0.2; done')
	deaf=$(start_container "$pod" "$busybox:$1" --name deaf -- \
		sh -c 'trap "" TERM; echo ready; while :; do sleep 0.2; done')
	eventually has_logged "$polite" ready
	eventually has_logged "$deaf" ready
	in_cri stop --grace 100 "$polite" >/dev/null
	equal "$(state_of "$polite" exit_code)" 4
	contains "$(in_cri logs "$polite")" bye
	in_cri stop --grace 1 "$deaf" >/dev/null
	equal "$(state_of "$deaf" exit_code)" 137
	remove_named stops
}
user_namespace() {
	local pod container
	pod=$(run_pod userns crossarch --userns 200000:65536)
	container=$(start_container "$pod" "$busybox:$1" -- sleep 1000)
	equal "$(in_cri exec "$container" -- sh -c 'uname -m; id -u; cat /proc/self/uid_map' | xargs)" "$2 0 0 200000 65536"
	equal "$(vm stat -c %u "/proc/$(state_of "$container" pid)")" 200000
	remove_named userns
}

