# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Changes to the machine that have to be taken back: binfmt_misc, its handlers, a cgroup mount. They belong
# to the whole machine, so one run at a time may make them, and each is written down before it is made. A run
# that was killed leaves the list behind, and the next one takes the changes back before it begins.

: "${CROSSARCH_TEST_STATE:=/run/crossarch-test}"
host_lock=$CROSSARCH_TEST_STATE.lock
host_journal=$CROSSARCH_TEST_STATE.undo

# host_begin: become the one run that may change the machine. Descriptor 9 is the lock: whatever is started
# and may outlive us must be started with 9>&-.
host_begin() {
	exec 9>"$host_lock"
	if ! flock -n 9; then
		echo "# another test or demo is using this machine's binfmt_misc; waiting for it" >&2
		flock -w 1800 9 || {
			echo "# it did not finish" >&2
			return 1
		}
	fi
	host_is_ours=true
	host_restore
	# Shims count there what became of containers.
	[ -e /run/crossarch/outcomes ] || host_change rm -f /run/crossarch/outcomes -- true
}

# host_change UNDO... -- DO...: note how to take the change back, then make it
host_change() {
	local undo=
	while [ "$1" != -- ]; do
		undo+=" $(printf %q "$1")"
		shift
	done
	shift
	echo "$undo" >>"$host_journal"
	"$@"
}

# host_restore: take back every change, the last one first. Who ends before it has the lock leaves another's alone.
host_restore() {
	[ -n "${host_is_ours-}" ] && [ -e "$host_journal" ] || return 0
	local line
	while read -r line; do
		eval "$line" || echo "# could not undo: $line" >&2
	done < <(tac "$host_journal")
	rm -f "$host_journal"
}

write_to() { printf '%s\n' "$2" >"$1"; }

remove_empty() { [ ! -e "$1" ] || find "$1" -depth -type d -empty -delete; }

# "return 0" and not "return": in a trap the latter means the status from before the trap.
unmount() {
	local try
	findmnt -nM "$1" >/dev/null || return 0 # a test that took it back, and the journal that still says to
	for try in 1 2 3 4 5; do
		umount "$1" 2>/dev/null && return 0
		[ "$try" = 5 ] || sleep 0.2
	done
	umount "$1"
}
