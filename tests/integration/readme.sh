# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the suites that try the README's commands have in common.

# blocks FILE [SECTION]: the lines of its indented code blocks, without comments at their ends
blocks() {
	awk -v section="${2-}" '
	/^#/ { in_section = section == "" || index($0, section) }
	/^    [^ ]/ && in_section { sub(/^    /, ""); sub(/ +# .*/, ""); print }' "$1"
}
