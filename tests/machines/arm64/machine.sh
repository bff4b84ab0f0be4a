# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The arm64 node in a virtual machine, whatever this machine is: Debian 13 with systemd, qemu-system-aarch64. What its
# suites have in common; `make test-arm64` runs them.
#
#   VM_CPU=a64fx VM_KERNEL=linux-image-arm64-16k VM_CONSOLE=FILE    see tests/machines/machine.sh and node/machine.sh
# shellcheck disable=SC2016,SC2034,SC2154

: "${SLOW:=10}"
export VM_ARCH=arm64
arm64_here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=tests/integration/lib.sh
. "$arm64_here/../../integration/lib.sh"
# shellcheck source=tests/integration/readme.sh
. "$integration/readme.sh"
# shellcheck source=tests/machines/machine.sh
. "$arm64_here/../machine.sh"
# shellcheck source=tests/machines/node/machine.sh
. "$arm64_here/../node/machine.sh"
# shellcheck source=tests/machines/node/pods.sh
. "$arm64_here/../node/pods.sh"
# shellcheck source=tests/machines/node/setup.sh
. "$arm64_here/../node/setup.sh"

# Where the machine has our files: at the same places. What is written to the cache there is forgotten.
tree=$(readlink -f "$hack/..")
vm_folders=("tree=$tree" "cache=$cache")

# arm64_begin: what machines need is there
arm64_begin() {
	local missing program
	missing=$(machine_missing)
	[ -z "$missing" ] || skip_all "$missing"
	for program in debootstrap mke2fs; do
		PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null ||
			skip_all "missing $program: apt-get install debootstrap e2fsprogs"
	done
	[ -x "$node_build/bin/cri-client" ] || skip_all "missing $node_build/bin/cri-client: run make TARGET=arm64 all cri"
	trap arm64_end EXIT
	trap 'exit 130' INT TERM
	node_images && disk=$("$arm64_here/../node/disk") || exit 1
}

# arm64_boot: a machine whose disk forgets what is written to it
arm64_boot() {
	local begin=$SECONDS
	rm -rf "$scratch/machine"
	work=$scratch/machine
	mkdir "$work"
	vm_begin "$disk" snapshot=on && vm_wait || exit 1
	echo "# booted in $((SECONDS - begin)) s"
	version=$(vm containerd --version | awk '{ print $3 }')
	label="Debian 13 ($native), containerd $version"
}

arm64_end() {
	trap - EXIT
	trap '' INT TERM # who ends us may say so twice
	vm_end
	rm -rf "$scratch"
}

# brings_programs: as the README's first line does: the programs are made here, and installed there
brings_programs() {
	make -s -C "$tree" BUILD="$node_build" TARGET=arm64 DESTDIR="$shared/root" PREFIX=/usr/local install
	vm cp -a /run/vm/root/. /
	rm -rf "$shared/root"
	contains "$(vm crossarch --version)" "$("$hack/changelog" version)"
}

# arm64_tree: our files at their places
arm64_tree() {
	vm_mount tree "$tree"
	vm_mount cache /run/cache
	vm_sh 'mkdir -p /root/cache/upper /root/cache/work "$1"
		mount -t overlay -o lowerdir=/run/cache,upperdir=/root/cache/upper,workdir=/root/cache/work overlay "$1"' "$cache"
}

# arm64_tools: what suites need that nodes have not, a compiler, beside what is in the machine's /usr
arm64_tools() {
	local tools
	tools=$("$hack/rootfs" trixie arm64 gcc libc6-dev) || return
	vm mount -t overlay -o "lowerdir=/usr:/run/cache/${tools#"$cache/"}/usr" overlay /usr
}

# arm64_here_too [VARIABLE=VALUE...] COMMAND...: one of our programs, in the machine
arm64_here_too() { vm env CROSSARCH_CACHE="$cache" BUILD="$node_build" SLOW="$SLOW" "$@"; }

# arm64_suite NAME [VARIABLE=VALUE...]: one of tests/integration; each of its results is one of ours
arm64_suite() {
	local name=$1 status=0 line before=$tests planned='' begin=$SECONDS
	shift
	PATIENCE=$((1800 / SLOW)) arm64_here_too "$@" "$tree/tests/integration/$name.test" >"$scratch/suite" 2>&1 || status=$?
	while IFS= read -r line; do
		case $line in
		'ok '* | 'not ok '*)
			tests=$((tests + 1))
			echo "${line%%ok *}ok $tests - $name: ${line#* - }"
			[ "${line%%ok *}" = '' ] || failures=$((failures + 1))
			;;
		1..0*)
			check "$name" skip "${line#*SKIP }"
			planned=1
			;;
		1..*) planned=${line#1..} ;;
		*) echo "$line" ;;
		esac
	done <"$scratch/suite"
	if [ "$planned" != $((tests - before)) ] || [ "$status" -gt 1 ]; then
		check "$name prints all its results" fail "exit status $status"
	fi
	echo "# $name: $((SECONDS - begin)) s"
}

arm64_done() {
	echo "1..$tests"
	[ "$failures" = 0 ]
}
