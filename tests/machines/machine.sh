# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What virtual machines have in common: Debian's qemu and kernel out of the cache, an initial ram disk made
# of busybox and a few of that kernel's modules, folders of this machine shared by 9p. The caller sets $work,
# a directory for its files.
#
#   VM_ARCH=arm64       Debian's name of the machine's architecture (this machine's own): amd64, arm64
#   VM_KERNEL=PACKAGE   the kernel, e.g. linux-image-arm64-16k (the ordinary one of that architecture)
#   VM_CPU=MODEL        one of those that "qemu-system-... -cpu help" lists (the one with everything)
# shellcheck disable=SC2034,SC2154

machine_here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
machine_host=$(dpkg --print-architecture)
: "${VM_ARCH:=$machine_host}"

# What differs. An arm64 processor with everything has vectors of 2048 bits, and the time to imitate them is
# better spent otherwise.
case $VM_ARCH in
arm64)
	machine_name=aarch64
	machine_package="qemu-system-arm"
	machine_board=(-machine "virt,gic-version=3")
	machine_cpu=max,sve=off,sme=off
	machine_console=ttyAMA0
	;;
*)
	machine_name=x86_64
	machine_package="qemu-system-x86"
	machine_board=(-machine pc)
	machine_cpu=max
	machine_console='ttyS0 tsc=unstable'
	;;
esac
: "${VM_KERNEL:=linux-image-$VM_ARCH}" "${VM_CPU:=$machine_cpu}"

# machine_missing: what this machine lacks for all that; nothing when it lacks nothing
machine_missing() {
	if [ "$(id -u)" != 0 ]; then
		echo "missing: root"
	elif [ -z "$(machine_loader)" ]; then
		echo "no virtual machine was ever tried on $machine_host"
	elif [ "$VM_ARCH" != amd64 ] && [ "$VM_ARCH" != arm64 ]; then
		echo "no virtual machine of $VM_ARCH was ever tried"
	elif ! command -v busybox >/dev/null; then
		echo "missing busybox: run hack/setup"
	fi
}

# machine_files SUITE: unpacks that suite's kernel and qemu-system into the cache; sets $root to where the kernel
# is, $qemu to where qemu is, $initial_busybox to a program
machine_files() {
	local hack=$machine_here/../../hack
	root=$("$hack/rootfs" "$1" "$VM_ARCH" "$VM_KERNEL") || return
	qemu=$("$hack/rootfs" "$1" "$machine_host" "$machine_package") || return
	initial_busybox=$("$hack/debs" ports "$VM_ARCH" busybox-static)/usr/bin/busybox
}

# --- the initial ram disk ------------------------------------------------------------------------

# depends FILE: what a module says it needs
depends() { busybox unxz -c "$1" | tr '\0' '\n' | LC_ALL=C sed -n 's/^depends=//p' | tr , '\n'; }

# add_module NAME: uncompressed, after what it depends on, with a number for the order. A name that no file
# has is built into this kernel.
declare -A added
add_module() {
	local name=${1//-/_} file dependency
	[ -z "${added[$name]-}" ] || return 0
	file=$(find "$root/lib/modules/" -name "${name//_/[-_]}.ko.xz")
	added[$name]=1
	[ -n "$file" ] || return 0
	for dependency in $(depends "$file"); do
		add_module "$dependency"
	done
	number=$((number + 1))
	busybox unxz -c "$file" >"$work/disk/modules/$number-$name.ko"
}

# make_initrd PROGRAM MODULE...: $work/initrd, whose first program that is, and which has these modules and
# what they depend on
make_initrd() {
	local module
	added=() number=10
	mkdir -p "$work/disk"/{bin,modules,proc,sys,dev,host,top,new}
	cp "$initial_busybox" "$work/disk/bin/busybox"
	install -m 0755 "$1" "$work/disk/init"
	shift
	for module; do
		add_module "$module"
	done
	(cd "$work/disk" && find . | busybox cpio -o -H newc 2>/dev/null) | gzip -1 >"$work/initrd"
}

# --- qemu ------------------------------------------------------------------------------------------

# machine_loader: this machine's dynamic loader, below its root
machine_loader() {
	case $machine_host in
	amd64) echo lib64/ld-linux-x86-64.so.2 ;;
	arm64) echo lib/ld-linux-aarch64.so.1 ;;
	esac
}

# become ROOT PROGRAM NAME [ARGUMENT...]: a program of this machine's architecture that hack/rootfs unpacked, under that
# name, with the libraries it was made for. In place of the (sub)shell, so that the latter's id is the one to kill.
become() {
	local from=$1 program=$2 name=$3 lib
	shift 3
	lib=$(echo "$from"/usr/lib/*-linux-gnu)
	QEMU_MODULE_DIR=$lib/qemu exec "$from/$(machine_loader)" --argv0 "$name" \
		--library-path "$lib:$lib/pulseaudio" "$from/usr/bin/$program" "$@"
}

# become_qemu OPTION...
become_qemu() {
	become "$qemu" "qemu-system-$machine_name" qemu -L "$qemu/usr/share/qemu" -L "$qemu/usr/share/seabios" "$@"
}

# machine_is MEMORY CPUS KERNEL-PARAMETERS: $machine, qemu's options. The processor is emulated. Its one
# serial line of virtio is the pair of pipes $work/pipe.in and $work/pipe.out; the console is a file.
machine_is() {
	# shellcheck disable=SC2054
	machine=(-nodefaults -no-user-config -display none "${machine_board[@]}" -cpu "$VM_CPU"
		-accel "tcg,thread=multi,tb-size=512" -m "$1" -smp "$2"
		-serial "file:$work/console"
		-device virtio-serial-pci -chardev "pipe,id=line,path=$work/pipe"
		-device virtserialport,chardev=line,name=crossarch
		-kernel "$(echo "$root"/boot/vmlinuz-*)" -initrd "$work/initrd"
		-append "console=$machine_console mitigations=off quiet $3")
	mkfifo "$work/pipe.in" "$work/pipe.out"
}

# shared_folder TAG PATH OPTIONS
shared_folder() {
	machine+=(-fsdev "local,id=$1,path=$2,security_model=none,multidevs=remap$3"
		-device "virtio-9p-pci,fsdev=$1,mount_tag=$1")
}
