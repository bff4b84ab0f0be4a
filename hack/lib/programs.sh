# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Our programs as they go to nodes, in images and archives. The caller has sourced cross.sh, and sets $build, where they
# were built.
# shellcheck disable=SC2154

node_programs='containerd-shim-crossarch-v2 crossarch crossarch-prepare crossarch-pause'

# stripper ARCHITECTURE: this machine's reads its own programs only
stripper() {
	if [ "$1" = "$(dpkg --print-architecture)" ]; then
		echo strip
	else
		"$hack/toolchain" "$1" strip
	fi
}

# put_programs ARCHITECTURE DIR [LIBEXECDIR]: those that nobody calls by name go to LIBEXECDIR. Without debugging symbols,
# which say where they were built, and the id made of them.
put_programs() {
	local program strip from to
	strip=$(stripper "$1") || return
	from=$(built_in "$build" "$1")/bin
	for program in $node_programs; do
		[ -x "$from/$program" ] || {
			echo "missing $from/$program: run make TARGET=$1" >&2
			return 1
		}
		case $program in
		crossarch-*) to=${3-$2} ;;
		*) to=$2 ;;
		esac
		mkdir -p "$to" && "$strip" -R .note.gnu.build-id -o "$to/$program" "$from/$program" && chmod 0755 "$to/$program" || return
	done
}
