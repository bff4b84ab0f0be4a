# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the suites of the command line share: a node on which s390x has no handler and $foreign has one.
# shellcheck disable=SC2034,SC2154

: "${ENGINES:=runc}" "${CONTAINERDS:=installed trixie sid}"
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

RUNTIME=crossarch
crossarch=$BUILD/bin/crossarch

suite_host() {
	[ -x /usr/bin/qemu-s390x-static ] || skip_all "missing qemu-user-static: run hack/setup"
	binfmt_mount
	handlers_for "$foreign"
	binfmt_hide qemu-s390x
}

# said COMMAND...: what it prints, on either stream; its status in $status
said() {
	status=0
	"$@" 2>&1 || status=$?
}
