# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the suites about emulators of single pods have in common.
# shellcheck disable=SC2034,SC2154

image=$busybox:$native
private=/run/crossarch/binfmt
userns=(--uidmap 0:100000:65536 --gidmap 0:100000:65536)
wanted=(--annotation io.crossarch.private-emulators=true)

# A user namespace and options of the runtime exclude each other in containerd 2 (containerd#11091).
eval "$(declare -f node_config | sed '1s/.*/node_config_plain()/')"
node_config() {
	node_config_plain
	node_handler userns "$RUNTIME_TYPE"
}

suite_host() {
	[ "$RUNTIME" = crossarch ] || skip_all "the stock shim has no such thing"
	[ -e /usr/bin/qemu-s390x-static ] || skip_all "missing qemu-user-static: run hack/setup"
	binfmt_mount
}

# What the machine itself has, whoever registered it.
host_table() { grep -s . "$binfmt"/* 2>/dev/null | grep -v "^$binfmt/register" || :; }

# instances: directories of pods of this node
instances() {
	local note
	for note in "$private"/*/*; do
		case $(readlink "$note") in
		"$node"/*) dirname "$note" ;;
		esac
	done | sort -u
}

# table_is BEFORE: nothing was registered on the machine, or taken away
table_is() { diff <(echo "$1") <(host_table) || fail "the machine's table of handlers has changed"; }

private_mounts() { grep -c " $private/" /proc/self/mountinfo || :; }

no_instances() { [ -z "$(instances)" ]; }

nothing_private() {
	equal "$(instances)" ''
}
