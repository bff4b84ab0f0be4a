# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the suites of the command line share: a node on which s390x has no handler and arm64 has one.
# shellcheck disable=SC2034,SC2154

: "${ENGINES:=runc}" "${CONTAINERDS:=installed trixie sid}"
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

RUNTIME=crossarch
crossarch=$BUILD/bin/crossarch

suite_host() {
	[ "$native" = amd64 ] || skip_all "written for an amd64 machine"
	[ -x /usr/bin/qemu-s390x-static ] || skip_all "missing qemu-user-static: run hack/setup"
	binfmt_mount
	binfmt_register qemu-aarch64
	binfmt_hide qemu-s390x
}

# said COMMAND...: what it prints, on either stream; its status in $status
said() {
	status=0
	"$@" 2>&1 || status=$?
}
