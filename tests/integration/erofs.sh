# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For suites with images on the erofs snapshotter, which containerd has from 2.1 on: Debian sid's mkfs.erofs in
# containerd's PATH, unpacked, not installed.
# shellcheck disable=SC2034,SC2154,SC2317

erofs_setup() {
	local root loader
	grep -qw erofs /proc/filesystems || modprobe erofs 2>/dev/null || skip_all "the kernel has no erofs"
	root=$("$hack/rootfs" sid "$(dpkg --print-architecture)" erofs-utils libc6) ||
		skip_all "erofs-utils of Debian sid cannot be had"
	loader=$(find "$root/usr/lib" "$root/usr/lib64" -name 'ld-linux-*.so.*' -print -quit)
	node_path=$scratch/erofs
	mkdir -p "$node_path"
	printf '#!/bin/sh\nexec %s --library-path %s %s/usr/bin/mkfs.erofs "$@"\n' "$(readlink -f "$loader")" \
		"$(dirname "$(find "$root/usr/lib" -name libc.so.6 -print -quit)")" "$root" >"$node_path/mkfs.erofs"
	chmod 0755 "$node_path/mkfs.erofs"
	"$node_path/mkfs.erofs" --version >/dev/null || skip_all "mkfs.erofs of Debian sid does not run here"
	! declare -F node_config_plain >/dev/null || return 0
	eval "$(declare -f node_config | sed '1s/.*/node_config_plain()/')"
	node_config() {
		node_config_plain
		case $node_version in 1.* | 2.0.*) return ;; esac
		cat <<-END_OF_CONFIG
			[plugins."io.containerd.service.v1.diff-service"]
			  default = ["erofs", "walking"]
			[plugins."io.containerd.grpc.v1.cri".containerd]
			  snapshotter = "erofs"
		END_OF_CONFIG
	}
}

has_erofs() { node_ctr plugins ls | grep 'io.containerd.snapshotter.v1 *erofs .* ok' >/dev/null; }
needs_erofs() {
	[[ $node_version != @(1.*|2.0.*) ]] || skip "containerd $node_version has no erofs snapshotter"
	has_erofs || skip "erofs snapshotter: $(node_ctr plugins ls | grep erofs)"
}

# on_erofs ID IMAGE [OPTION...] -- PROGRAM...
on_erofs() {
	local id=$1 image=$2
	shift 2
	ctr_run "$id" "$image" --snapshotter erofs "$@"
}

# Layers stay mounted as long as containerd has their images.
leftovers() { node_leftovers | grep -v '^mount: .*/io.containerd.snapshotter.v1.erofs/' || :; }
