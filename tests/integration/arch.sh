# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What in the suites depends on the node's architecture: how architectures are called (hack/lib/arch.sh), what this
# node runs by itself, and what crossarch's lines say of it. A suite says $native and $foreign, which is any
# architecture that runs emulated here, and s390x for one that it switches off: that is nobody's node here.
# shellcheck disable=SC2034,SC2154

# shellcheck source=hack/lib/arch.sh
. "$hack/lib/arch.sh"

case ${IMAGE_ARCH-} in
'' | "$native") ;;
foreign) IMAGE_ARCH=$foreign ;;
*) foreign=$IMAGE_ARCH ;;
esac

native_machine=${machine_of[$native]} foreign_machine=${machine_of[$foreign]}
foreign_handler=qemu-${qemu_of[$foreign]}

# The 32-bit architectures that processors may run as well.
declare -A narrow_of=([amd64]=386 [arm64]=arm)

# What lines call the processors, and where glibc's loader is.
declare -A processor_of=([amd64]=x86-64 [arm64]=AArch64 [riscv64]=RISC-V)
declare -A loader_of=([amd64]=/lib64/ld-linux-x86-64.so.2 [arm64]=/lib/ld-linux-aarch64.so.1
	[riscv64]=/lib/ld-linux-riscv64-lp64d.so.1)

# runs_natively ARCH. An arm64 kernel refuses the personality where the processor has no 32-bit user mode, and has no
# name of a machine for it where it was built without.
runs_natively() {
	local machine
	case $1 in
	"$native") true ;;
	"${narrow_of[$native]-none}")
		machine=$(setarch linux32 uname -m 2>/dev/null) && [ "$machine" != "$native_machine" ]
		;;
	*) false ;;
	esac
}

# machine_here ARCH: what `uname -m` says to a program of it on this node
machine_here() {
	if runs_natively "$1"; then
		echo "$native_machine"
	else
		echo "${machine_of[$1]}"
	fi
}

# is_offered ARCH: this node runs it by itself, or the package has a handler for it. Debian's for arm64 nodes has none
# for 32-bit arm.
is_offered() { runs_natively "$1" || [ -e "/usr/lib/binfmt.d/qemu-${qemu_of[$1]}.conf" ]; }

needs() { is_offered "$1" || skip "neither this processor nor the package's handlers run programs for $1"; }

# handlers_for ARCH...: the package's, of those that this node needs one for
handlers_for() {
	local arch
	for arch; do
		if ! runs_natively "$arch" && is_offered "$arch"; then
			binfmt_register "qemu-${qemu_of[$arch]}" || return
		fi
	done
}

# emulator_of ARCH: the package's
emulator_of() { echo "/usr/bin/qemu-${qemu_of[$1]}-static"; }

# busybox_of ARCH: the program
busybox_of() {
	local package
	package=$("$hack/debs" ports "${debian_of[$1]}" busybox-static) || return
	ls "$package/usr/bin/busybox" 2>/dev/null || ls "$package/bin/busybox"
}

# header_of ARCH BYTE: magic and mask, as in a line for binfmt_misc, of such programs (64 bits, little-endian) whose
# byte 15, which is 0 in all that compilers make, is BYTE
header_of() {
	local zeros='\x00\x00\x00\x00\x00\x00\x00' ones='\xff\xff\xff\xff\xff\xff\xff'
	printf '%s:%s\n' '\x7fELF\x02\x01\x01\x00'"$zeros\\x$2"'\x02\x00'"\\x$(printf %02x "${elf_of[$1]}")"'\x00' \
		"$ones"'\x00'"$ones"'\xff\xfe\xff\xff\xff'
}

# as_here: what is written for an amd64 node that runs programs for arm64 emulated (hack/causes.md, README.md), as it
# has to be read on this node. The levels of x86-64 are those of amd64 programs everywhere.
as_here() {
	NATIVE="$native $native_machine ${processor_of[$native]-} ${loader_of[$native]-}" \
		FOREIGN="$foreign $foreign_machine ${processor_of[$foreign]-} ${loader_of[$foreign]-}" perl -pe '
		BEGIN {
			@here{qw(amd64 x86_64 x86-64 /lib64/ld-linux-x86-64.so.2)} = split " ", $ENV{NATIVE};
			@here{qw(arm64 aarch64 AArch64 /lib/ld-linux-aarch64.so.1)} = split " ", $ENV{FOREIGN};
		}
		s{/lib\w*/ld-linux-(x86-64|aarch64)\.so\.\d|amd64|x86_64|x86-64(?!-v\d| level)|arm64(?!be)|aarch64(?!_be)|AArch64}{$here{$&}}g'
}
