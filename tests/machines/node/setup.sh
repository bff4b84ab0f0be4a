# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The node in the virtual machine gets what its pods need, and is set up as the README says. The caller has sourced
# pods.sh of this directory and tests/integration/readme.sh.
# shellcheck disable=SC2016,SC2154

# What was built for the node, and images of whose programs its own are native.
node_build=$BUILD
[ "$VM_ARCH" = "$machine_host" ] || node_build=$BUILD/$VM_ARCH

# node_images: makes them; sets $images to where they are
node_images() { images=$(TARGET=$VM_ARCH "$hack/images"); }

# node_imports IMAGE...: for the CRI, and its client
node_imports() {
	local image
	cp "$node_build/bin/cri-client" "$shared/"
	vm cp /run/vm/cri-client /root/
	for image; do
		cp "$images/$image.tar" "$shared/"
		vm ctr -n k8s.io images import --no-unpack "/run/vm/$image.tar" >/dev/null
		rm "$shared/$image.tar"
	done
}

# node_import_index IMAGE: all of it, whatever the node's platform
node_import_index() {
	cp "$images/$1.tar" "$shared/"
	vm ctr -n k8s.io images import --no-unpack --all-platforms "/run/vm/$1.tar" >/dev/null
	rm "$shared/$1.tar"
}

boots() {
	equal "$(PATIENCE=60 vm systemctl is-system-running --wait)" running
	prints_nothing vm systemctl list-units --failed --plain --no-legend
	equal "$(vm cat /proc/1/comm)" systemd
	equal "$(vm stat -f -c %T /sys/fs/cgroup)" cgroup2fs
	equal "$(vm aa-enabled)" Yes
	contains "$(vm findmnt -n -o OPTIONS /run)" noexec
	equal "$(vm systemctl show -P FragmentPath containerd)" /usr/lib/systemd/system/containerd.service
	equal "$(vm systemctl is-active containerd)" active
}

# What this node shall not be able to run: an administrator masks the line that the package brings.
node_without_s390x() {
	vm_sh 'ln -s /dev/null /etc/binfmt.d/qemu-s390x.conf && systemctl restart systemd-binfmt'
}

# types LINE: as a person, who says yes
types() {
	echo "+ $1"
	PATIENCE=120 vm_sh 'echo "APT::Get::Assume-Yes \"true\";" >/root/apt.conf
		export APT_CONFIG=/root/apt.conf ${2:+NEEDRESTART_SUSPEND=1}
		eval "$1"' "$1" "${SHORT-}"
}

# sets_up: the section's lines after those that bring the programs. They are written for an amd64 node, and what is
# foreign to that one is not to all. What doctor says is in the file doctor.
sets_up() {
	local line said
	while read -r line; do
		said=$(types "${line//arm64/$foreign}")
		echo "$said"
		case $line in
		*' doctor') echo "$said" >"$scratch/doctor" ;;
		*' kubernetes') contains "$said" 'kind: RuntimeClass*handler: crossarch' ;;
		esac
	done < <(blocks "$hack/../README.md" 'Install on a node' |
		sed '/^version = 2$/,$d; /^make/d; /build\/deb/d')
	equal "$(grep -w BAD "$scratch/doctor" || :)" ''
	contains "$(cat "$scratch/doctor")" 'ok * handler'
}
