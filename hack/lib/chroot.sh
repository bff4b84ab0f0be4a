# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A whole Debian system in a directory, with mounts and process ids of its own, for what has to be tried the
# way a person would: installing packages, setting up a node. Its network, binfmt_misc and cgroups are the
# machine's. Whatever runs in it ends with it. The caller has sourced cache.sh and journal.sh.
#
# For a system of another architecture CHROOT_ARCH is that architecture, and the array chroot_through a command that
# runs another one where its programs run, in a user namespace in which users are who they are outside
# (tests/machines/emulating). Such a system has the binfmt_misc of that namespace.
# shellcheck disable=SC2034,SC2154

# chroot_forget DIRECTORY: what a debootstrap left that did not end well: it mounts /proc there
chroot_forget() {
	local mount
	awk -v dir="$1/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo | tac | while read -r mount; do
		umount -l "$mount" || return
	done
	rm -rf --one-file-system "$1"
}

# chroot_devices DIRECTORY: those of a minimal system, which cannot be made in a user namespace
chroot_devices() {
	mkdir -p "$1/dev"
	cp -a /dev/{null,zero,full,random,urandom,tty,console,ptmx} "$1/dev/"
}

# chroot_bootstrap DIRECTORY SUITE PACKAGE...: a minimal system with these packages, in that directory
chroot_bootstrap() {
	local dir=$1 suite=$2 log=$1.log through=()
	shift 2
	echo "chroot: installing Debian $suite${CHROOT_ARCH:+ ($CHROOT_ARCH)} with $*" >&2
	chroot_forget "$dir" || return
	mkdir -p "$cache/debootstrap/archives"
	if [ -n "${CHROOT_ARCH-}" ]; then
		chroot_devices "$dir"
		through=("${chroot_through[@]}" env container=lxc) # so that debootstrap does not insist on making them
	fi
	"${through[@]}" debootstrap ${CHROOT_ARCH:+--arch="$CHROOT_ARCH"} --variant=minbase --cache-dir="$cache/debootstrap/archives" --include="$(
		IFS=,
		echo "$*"
	)" "$suite" "$dir" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$log" 2>&1 || {
		tail -n 5 "$log" >&2
		chroot_forget "$dir"
		return 1
	}
	rm -f "$log"
}

# chroot_base SUITE PACKAGE...: an archive of such a system, made once; its name
chroot_base() {
	local suite=$1 base dir
	shift
	base=$cache/debootstrap/$suite${CHROOT_ARCH:+-$CHROOT_ARCH}-$(printf '%s ' "$@" | sha256sum | cut -c1-12).tar
	dir=$base.root
	mkdir -p "$cache/debootstrap"
	(
		flock 7
		[ -e "$base" ] && exit 0
		chroot_bootstrap "$dir" "$suite" "$@" || exit
		tar -C "$dir" --numeric-owner -cf "$base.new" . && mv "$base.new" "$base" && chroot_forget "$dir"
	) 7>"$cache/debootstrap/lock" || return
	echo "$base"
}

# chroot_start BASE: a system from that archive; sets $system (directory), $system_root (its root),
# $system_pid (its first process) and $system_user (how to get at its user namespace). BASE "/": a copy of this
# machine that forgets what is written to it.
chroot_start() {
	system=$(mktemp -d "${CHROOT_TMP:-/var/tmp}/crossarch-system.XXXXXX")
	host_change chroot_remove "$system" -- mkdir "$system/root"
	[ "$1" = / ] || tar -C "$system/root" --numeric-owner -xf "$1"
	system_user=
	local through=()
	if [ -n "${CHROOT_ARCH-}" ]; then
		through=("${chroot_through[@]}") system_user=--user
	fi
	setsid "${through[@]}" unshare --mount --pid --fork --kill-child --propagation private \
		bash -c "$chroot_boot" system "$system/root" "$1" >"$system/log" 2>&1 </dev/null 9>&- &
	echo $! >"$system/pid"
	disown $!
	chroot_wait
	system_root=/proc/$system_pid/root
}

# What its first process does. A shell waits for orphans too.
# shellcheck disable=SC2016
chroot_boot='
	set -eu
	root=$1
	if [ "$2" = / ]; then
		mount -t tmpfs tmpfs "$root"
		mkdir "$root"/root "$root"/upper "$root"/work
		mount -t overlay -o lowerdir=/,upperdir="$root/upper",workdir="$root/work" overlay "$root/root"
		root=$root/root
	else
		mount --bind "$root" "$root"
	fi
	mount -t proc proc "$root/proc"
	mount --rbind /sys "$root/sys"
	mount --rbind /dev "$root/dev"
	mount -t tmpfs -o mode=755 tmpfs "$root/run"
	mount -t tmpfs tmpfs "$root/tmp"
	mkdir -p "$root/var/lib/containerd"
	mount -t tmpfs tmpfs "$root/var/lib/containerd" # no overlay on an overlay
	[ ! -e /proc/sys/fs/binfmt_misc/status ] ||
		mount --bind /proc/sys/fs/binfmt_misc "$root/proc/sys/fs/binfmt_misc"
	cp /etc/resolv.conf "$root/etc/resolv.conf" || :
	echo "127.0.0.1 localhost" >"$root/etc/hosts"
	printf "#!/bin/sh\nexit 101\n" >"$root/usr/sbin/policy-rc.d"
	chmod 0755 "$root/usr/sbin/policy-rc.d"
	cd "$root"
	mkdir .old
	pivot_root . .old
	umount -l /.old
	rmdir /.old
	echo $$ >/run/ready
	exec /bin/sh -c "while :; do sleep 1; done"
'

# processes_below PROCESS: its children, each before its own
processes_below() {
	local pid children=()
	read -ra children <"/proc/$1/task/$1/children" || :
	for pid in "${children[@]}"; do
		echo "$pid"
		processes_below "$pid"
	done
}

chroot_wait() {
	local try parent
	parent=$(cat "$system/pid")
	for try in $(seq 1 100); do
		for system_pid in $(processes_below "$parent" 2>/dev/null); do
			[ ! -e "/proc/$system_pid/root/run/ready" ] || return 0
		done
		sleep 0.1
	done
	echo "chroot: the system did not start in ${try}00 ms:" >&2
	cat "$system/log" >&2
	return 1
}

# inside COMMAND...: in that system, with a person's environment
inside() {
	# shellcheck disable=SC2086 # no word, or one
	nsenter -t "$system_pid" $system_user -m -p -r -w -- env -i HOME=/root TERM=dumb LC_ALL=C DEBIAN_FRONTEND=noninteractive \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" 9>&-
}

# chroot_remove DIRECTORY: the system and all that runs in it; cgroups it made are named after the directory
chroot_remove() {
	local pid cgroup
	pid=$(cat "$1/pid" 2>/dev/null) || pid=
	# The whole process group, of what it was started through too. --kill-child: its first process goes with it, and
	# all others with that one.
	[ -z "$pid" ] || kill -KILL -- "-$pid" 2>/dev/null || :
	while [ -n "$pid" ] && kill -0 -- "-$pid" 2>/dev/null; do
		sleep 0.05
	done
	find /sys/fs/cgroup -depth -type d -path "*/${1##*/}*" 2>/dev/null | while read -r cgroup; do
		rmdir "$cgroup" 2>/dev/null || { sleep 0.2 && rmdir "$cgroup"; } || :
	done
	rm -rf --one-file-system "$1"
}
