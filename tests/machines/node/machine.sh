# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The machine of the node: booted from its disk, and spoken to through a serial line. The caller has sourced
# tests/machines/machine.sh.
#
#   VM_MEMORY=3G  VM_CPUS=2
#   VM_CONSOLE=FILE     keep what the kernel said
#
# and what tests/machines/machine.sh knows.
# shellcheck disable=SC2016,SC2154

: "${VM_MEMORY:=3G}" "${VM_CPUS:=2}" "${SLOW:=8}"
vm_here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
vm_pid=

# vm_begin DISK [OPTION]: the machine is switched on; vm_wait says when it can be spoken to. $work is the directory
# of its files, which the caller has made. OPTION is one of qemu's about the disk. Of each TAG=DIRECTORY in the array
# vm_folders the machine can mount that directory of ours: see vm_mount.
vm_begin() {
	local machine folder
	shared=$work/shared
	machine_files trixie || return
	mkdir "$shared"
	cp "$vm_here/agent" "$shared/"
	echo 0 >"$work/requests"
	make_initrd "$vm_here/init" virtio_pci virtio_blk crc32c_generic ext4 virtio_console 9pnet_virtio 9p
	machine_is "$VM_MEMORY" "$VM_CPUS" "rw systemd.show_status=0"
	machine+=(-drive "file=$1,format=raw,if=virtio,cache=unsafe${2:+,$2}")
	shared_folder shared "$shared" ''
	for folder in ${vm_folders[@]+"${vm_folders[@]}"}; do
		shared_folder "${folder%%=*}" "${folder#*=}" ,readonly=on
	done
	exec 7<>"$work/pipe.in" 8<>"$work/pipe.out"
	become_qemu "${machine[@]}" </dev/null 7>&- 8>&- 6>&- 9>&- >"$work/qemu" 2>&1 &
	vm_pid=$!
}

# vm_end: it is switched off, whatever it does
vm_end() {
	[ -z "${VM_CONSOLE-}" ] || cp "$work/console" "$VM_CONSOLE" 2>/dev/null || :
	[ -n "$vm_pid" ] || return 0
	kill -KILL "$vm_pid" 2>/dev/null || :
	wait "$vm_pid" 2>/dev/null || :
	vm_pid=
}

# vm_answer SECONDS: the next line it says, in $answer
vm_answer() {
	local end=$((SECONDS + $1)) begun=
	until IFS= read -r -t 2 answer <&8; do
		begun+=$answer # the time was over in the middle of a line
		if ! kill -0 "$vm_pid" 2>/dev/null; then
			echo "the machine has ended; what qemu said, and the end of its console:" >&2
		elif grep -q 'Kernel panic' "$work/console"; then
			echo "its kernel gave up; the end of its console:" >&2
		elif [ "$SECONDS" -gt "$end" ]; then
			echo "the machine said nothing in $1 s; the end of its console:" >&2
		else
			continue
		fi
		cat "$work/qemu" >&2
		tail -n 20 "$work/console" | tr -d '\r' >&2
		return 1
	done
	answer=$begun$answer
}

# vm_wait: until it has booted so far that it can be spoken to
vm_wait() {
	vm_answer $((60 * SLOW)) || return
	[ "${answer%% *}" != boot ] || return 0
	echo "it has not booted, it said: $answer" >&2
	return 1
}

# What a person who logs in as root has.
vm_environment=(env -i HOME=/root USER=root LOGNAME=root SHELL=/bin/bash TERM=dumb LC_ALL=C.UTF-8
	DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)

# vm COMMAND...: on the node; its output and exit status. More than $PATIENCE seconds are a fault.
vm() {
	local number answer
	number=$(($(cat "$work/requests") + 1))
	echo "$number" >"$work/requests"
	printf '%q ' exec timeout -k 5 $((${PATIENCE:-30} * SLOW)) "${vm_environment[@]}" "$@" >"$shared/$number.in"
	echo "$number" >&7
	# An answer to an earlier request: a case was ended before it came.
	while :; do
		vm_answer $((${PATIENCE:-30} * SLOW + 30)) || return 125
		[ "${answer% *}" != "$number" ] || break
		if [ "${answer%% *}" = boot ]; then
			echo "the machine has booted anew, nobody asked it to: $*" >&2
			return 125
		fi
	done
	cat "$shared/$number.out"
	cat "$shared/$number.err" >&2
	rm -f "$shared/$number".*
	return "${answer#* }"
}

# vm_sh SCRIPT [ARGUMENT...]: a script of bash, ended by the first command that fails
vm_sh() {
	local script=$1
	shift
	vm bash -euo pipefail -c "$script" bash "$@"
}

# prints_nothing COMMAND...: and does not fail, as one would whose machine is gone
prints_nothing() {
	local said
	said=$("$@") || fail "exit status $?: $*"
	equal "$said" ''
}

# vm_mount TAG DIRECTORY: one of vm_folders, there
vm_mount() {
	vm_sh 'mkdir -p "$2" && mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,ro,cache=loose "$1" "$2"' "$@"
}

# vm_reboot: as a person does; back when it can be spoken to again
vm_reboot() {
	vm systemctl reboot
	vm_wait
}
