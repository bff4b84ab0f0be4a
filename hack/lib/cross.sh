# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What there is to know of the architectures that crossarch is built for, by Debian's names. To build for another
# one, add its line.
# shellcheck disable=SC2034

# Debian's name, GNU's, qemu's, and the first Debian release from 12 on that has it.
cross_table='
amd64    x86_64-linux-gnu     x86_64   bookworm
arm64    aarch64-linux-gnu    aarch64  bookworm
armhf    arm-linux-gnueabihf  arm      bookworm
riscv64  riscv64-linux-gnu    riscv64  trixie
s390x    s390x-linux-gnu      s390x    bookworm
'

cross_names() { awk 'NF { printf "%s%s", sep, $1; sep = " " }' <<<"$cross_table"; }

# cross_target ARCHITECTURE: its line in $triplet, $qemu_target and $first_suite. $debian is the Debian release whose
# compilers and libraries are used: SUITE, or this machine's own, so that what is built here for several
# architectures is built of the same.
cross_target() {
	local own
	read -r _ triplet qemu_target first_suite < <(awk -v arch="$1" '$1 == arch' <<<"$cross_table") || {
		echo "there is no building for \"$1\"; there is for $(cross_names)" >&2
		return 1
	}
	own=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
	case ${SUITE:-$own/$first_suite} in
	bookworm/bookworm) debian=bookworm ;;
	*/*) debian=trixie ;;
	*) debian=$SUITE ;;
	esac
}

# built_in BUILD ARCHITECTURE: where its programs are: in BUILD, which is TARGET's or this machine's, or below it
built_in() {
	[ "$2" = "${TARGET:-$(dpkg --print-architecture)}" ] && echo "$1" || echo "$1/$2"
}
