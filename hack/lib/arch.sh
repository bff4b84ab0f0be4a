# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What architectures are called. They have OCI's names here, as in images; Debian, `uname -m`, qemu, the headers of
# programs (e_machine), libseccomp and compilers have others.
#
#   $native      this machine's own
#   $foreign     the one that it is most often asked for besides: arm64, and on an arm64 machine amd64
#   debian_of[arm], machine_of[arm] and so on    the columns of the table
# shellcheck disable=SC2034

declare -A debian_of machine_of qemu_of elf_of seccomp_of compiler_of

# arch_row OCI DEBIAN UNAME QEMU E_MACHINE LIBSECCOMP COMPILER
arch_row() {
	debian_of[$1]=$2 machine_of[$1]=$3 qemu_of[$1]=$4 elf_of[$1]=$5 seccomp_of[$1]=SCMP_ARCH_$6 compiler_of[$1]=$7
}
arch_row amd64 amd64 x86_64 x86_64 62 X86_64 x86_64-linux-gnu
arch_row 386 i386 i686 i386 3 X86 i686-linux-gnu
arch_row arm64 arm64 aarch64 aarch64 183 AARCH64 aarch64-linux-gnu
arch_row arm armhf armv7l arm 40 ARM arm-linux-gnueabihf
arch_row riscv64 riscv64 riscv64 riscv64 243 RISCV64 riscv64-linux-gnu
arch_row ppc64le ppc64el ppc64le ppc64le 21 PPC64LE powerpc64le-linux-gnu
arch_row s390x s390x s390x s390x 22 S390X s390x-linux-gnu
arch_row loong64 loong64 loongarch64 loongarch64 258 LOONGARCH64 loongarch64-linux-gnu
arch_row mips64le mips64el mips64 mips64el 8 MIPSEL64 mips64el-linux-gnuabi64
arch_row mipsle mipsel mips mipsel 8 MIPSEL mipsel-linux-gnu

# oci_of UNAME-OR-DEBIAN-NAME: what the table calls it; fails if it does not know it
oci_of() {
	local arch
	for arch in "${!machine_of[@]}"; do
		case $1 in
		"${machine_of[$arch]}" | "${debian_of[$arch]}") echo "$arch" && return ;;
		esac
	done
	return 1
}

native=$(oci_of "$(uname -m)") || {
	echo "this machine is of an architecture that hack/lib/arch.sh does not know: $(uname -m)" >&2
	exit 1
}
foreign=arm64
[ "$native" != arm64 ] || foreign=amd64
