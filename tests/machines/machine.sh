# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What virtual machines have in common: Debian's qemu and kernel out of the cache, an initial ram disk made
# of busybox and a few of that kernel's modules, folders of this machine shared by 9p. The caller sets $work,
# a directory for its files.
# shellcheck disable=SC2154

machine_here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

# machine_missing: what this machine lacks for all that; nothing when it lacks nothing
machine_missing() {
	if [ "$(id -u)" != 0 ]; then
		echo "missing: root"
	elif [ "$(dpkg --print-architecture)" != amd64 ]; then
		echo "the virtual machine is one of amd64 hosts"
	elif ! command -v busybox >/dev/null; then
		echo "missing busybox: run hack/setup"
	fi
}

# machine_files SUITE: unpacks that suite's kernel and qemu-system into the cache, and sets $root to where
machine_files() { root=$("$machine_here/../../hack/rootfs" "$1" amd64 linux-image-amd64 qemu-system-x86); }

# --- the initial ram disk ------------------------------------------------------------------------

# depends FILE: what a module says it needs
depends() { busybox unxz -c "$1" | tr '\0' '\n' | LC_ALL=C sed -n 's/^depends=//p' | tr , '\n'; }

# add_module NAME: uncompressed, after what it depends on, with a number for the order. A name that no file
# has is built into this kernel.
declare -A added
number=10
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
	mkdir -p "$work/disk"/{bin,modules,proc,sys,dev,host,top,new}
	cp "$(command -v busybox)" "$work/disk/bin/busybox"
	install -m 0755 "$1" "$work/disk/init"
	shift
	for module; do
		add_module "$module"
	done
	(cd "$work/disk" && find . | busybox cpio -o -H newc 2>/dev/null) | gzip -1 >"$work/initrd"
}

# --- qemu ------------------------------------------------------------------------------------------

# become_qemu OPTION...: Debian's program with the libraries it was made for, whatever the machine itself has.
# In place of the (sub)shell, so that the latter's id is the one to kill.
become_qemu() {
	local lib=$root/usr/lib/x86_64-linux-gnu
	QEMU_MODULE_DIR=$lib/qemu exec "$root/lib64/ld-linux-x86-64.so.2" \
		--library-path "$lib:$lib/pulseaudio" "$root/usr/bin/qemu-system-x86_64" \
		-L "$root/usr/share/qemu" -L "$root/usr/share/seabios" "$@"
}

# machine_is MEMORY CPUS KERNEL-PARAMETERS: $machine, qemu's options. The processor is emulated. Its one
# serial line of virtio is the pair of pipes $work/pipe.in and $work/pipe.out; the console is a file.
machine_is() {
	# shellcheck disable=SC2054
	machine=(-nodefaults -no-user-config -display none -machine pc -cpu max
		-accel "tcg,thread=multi,tb-size=512" -m "$1" -smp "$2"
		-serial "file:$work/console"
		-device virtio-serial-pci -chardev "pipe,id=line,path=$work/pipe"
		-device virtserialport,chardev=line,name=crossarch
		-kernel "$(echo "$root"/boot/vmlinuz-*)" -initrd "$work/initrd"
		-append "console=ttyS0 mitigations=off tsc=unstable quiet $3")
	mkfifo "$work/pipe.in" "$work/pipe.out"
}

# shared_folder TAG PATH OPTIONS
shared_folder() {
	machine+=(-fsdev "local,id=$1,path=$2,security_model=none,multidevs=remap$3"
		-device "virtio-9p-pci,fsdev=$1,mount_tag=$1")
}
