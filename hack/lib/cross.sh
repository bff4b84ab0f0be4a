# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The architectures that crossarch is built for, by Debian's names, and what that takes (hack/lib/arch.sh has what they
# are called). To build for another one, add its name.
# shellcheck disable=SC2034,SC2154

# shellcheck source=hack/lib/arch.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/arch.sh"

cross_names='amd64 arm64 armhf riscv64 s390x'

# cross_target ARCHITECTURE: $triplet is GNU's name of it, $qemu_target qemu's. $debian is the Debian release whose
# compilers and libraries are used: SUITE, or this machine's own if it has that architecture, so that what is built
# here for several of them is built of the same.
cross_target() {
	local arch own
	case " $cross_names " in
	*" $1 "*) ;;
	*)
		echo "there is no building for \"$1\"; there is for $cross_names" >&2
		return 1
		;;
	esac
	arch=$(oci_of "$1") || return
	triplet=${compiler_of[$arch]} qemu_target=${qemu_of[$arch]}
	own=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
	case ${SUITE:-$own/$1} in
	*/riscv64) debian=trixie ;; # the first release that has it
	bookworm/*) debian=bookworm ;;
	*/*) debian=trixie ;;
	*) debian=$SUITE ;;
	esac
}

# built_in BUILD ARCHITECTURE: where its programs are: in BUILD, which is TARGET's or this machine's, or below it
built_in() {
	[ "$2" = "${TARGET:-$(dpkg --print-architecture)}" ] && echo "$1" || echo "$1/$2"
}
