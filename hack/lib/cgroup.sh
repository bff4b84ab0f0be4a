# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0

# crun does not work where cgroup v1 is in use and v2 has a controller as well. Take v2's controllers over
# into v1 until host_restore (journal.sh).
cgroup_v1_complete() {
	local controller directory controllers=()
	[ -e /sys/fs/cgroup/unified/cgroup.controllers ] || return 0
	read -ra controllers </sys/fs/cgroup/unified/cgroup.controllers || :
	for controller in ${controllers[@]+"${controllers[@]}"}; do
		directory=/sys/fs/cgroup/$controller
		[ -e "$directory" ] || host_change rmdir "$directory" -- mkdir "$directory"
		host_change unmount "$directory" -- mount -t cgroup -o "$controller" "$controller" "$directory"
	done
}
