# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the suites and the long forms of faults, soak and hostile peers have in common. build/bin/faults plays
# containerd against the shim; a real one is beside it, for the lookup of the image's platform and for the cases
# that need it. Sourced after tests/integration/lib.sh and raw.sh.
# shellcheck disable=SC2154

# foreign_root: a directory with a busybox that needs an emulator, where a pod can have emulators of its own
foreign_root() {
	[ -e "$(emulator_of s390x)" ] && [ -e "$images/busybox-s390x.tar" ] || return 0
	printf '6.7\n%s\n' "$(uname -r)" | sort -CV || return 0
	IMAGE_ARCH=s390x scratch=$node raw_root
}

# faults COMMAND ARGUMENT...: with the engine of the current round
faults() {
	mkdir -p "$node/f"
	chmod 0711 "$node" # for the root of a user namespace
	FAULTS_BIN=$BUILD/bin FAULTS_DIR=$node/f FAULTS_ROOT=$(raw_root) FAULTS_NAMESPACE=$node_name \
		FAULTS_CONTAINERD=$node_socket FAULTS_ENGINE=$engine FAULTS_FOREIGN=$(foreign_root) \
		"$BUILD/bin/faults" "$@"
}

# known ID...: containers that containerd knows, so that asking for their image goes all the way
known() {
	local id
	for id; do
		ctr container info "$id" >/dev/null 2>&1 || ctr container create "$busybox:$native" "$id" true
	done
}

# tally COMMAND...: its output, commented, and its last line as the result of the case
tally() {
	local status=0
	"$@" >"$scratch/tally" 2>&1 || status=$?
	tail -n "${TALLY_LINES-1}" "$scratch/tally" | sed "s/^# //" | say >&3
	[ "$status" = 0 ] || { cat "$scratch/tally" && fail "exit status $status: $*"; }
}
