# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Foreign programs for tests and demo: binfmt_misc mounted, qemu's handlers registered from the lines that
# Debian's package ships, all of it taken back by host_restore (journal.sh).

binfmt=/proc/sys/fs/binfmt_misc

binfmt_mounted() { [ -e $binfmt/status ]; }
binfmt_registered() { [ -e "$binfmt/$1" ]; }

binfmt_mount() {
	binfmt_mounted && return 0
	host_change unmount $binfmt -- mount -t binfmt_misc binfmt_misc $binfmt
}

# binfmt_register NAME: one of the package's handlers, e.g. qemu-aarch64
binfmt_register() {
	binfmt_registered "$1" && return 0
	local line
	line=$(grep -h '^:' "/usr/lib/binfmt.d/$1.conf")
	host_change binfmt_unregister "$1" -- write_to $binfmt/register "$line"
}

binfmt_unregister() {
	! binfmt_registered "$1" || echo -1 >"$binfmt/$1"
}

# binfmt_hide NAME: until binfmt_show, nobody on this machine can run what NAME would have run
binfmt_hide() {
	binfmt_registered "$1" || return 0
	[ "$(head -n 1 "$binfmt/$1")" = enabled ] || return 0
	host_change binfmt_show "$1" -- write_to "$binfmt/$1" 0
}

binfmt_show() {
	! binfmt_registered "$1" || echo 1 >"$binfmt/$1"
}

# binfmt_register_as NAME HANDLER INTERPRETER: what the package registers as HANDLER, with an interpreter of
# another version. The kernel asks the newest handler first.
binfmt_register_as() {
	binfmt_registered "$1" && return 0
	local line flags
	line=$(grep -h '^:' "/usr/lib/binfmt.d/$2.conf")
	flags=${line##*:}
	line=${line%:*}
	line=":$1:${line#:"$2":}"
	host_change binfmt_unregister "$1" -- write_to $binfmt/register "${line%:*}:$3:$flags"
}
