# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# ELF files that no toolchain at hand makes: headers of any machine around one segment with nothing in it. None
# of them gets as far as to run; what looks at them, the kernel, its handlers and crossarch, looks no further.

# number BYTES ORDER VALUE: as escapes for printf's %b
number() {
	local bytes=$1 order=$2 value=$3 text='' one
	while [ "$bytes" -gt 0 ]; do
		one=$(printf '\\x%02x' $((value & 255)))
		[ "$order" = little ] && text+=$one || text=$one$text
		value=$((value >> 8)) bytes=$((bytes - 1))
	done
	printf %s "$text"
}

# elf FILE BITS ORDER MACHINE [FLAGS [TYPE [ADDRESS]]]: e.g. elf FILE 32 big 8 0x20. TYPE 2 is a program, 1 an
# object file, 3 a library, 4 a core dump; ADDRESS is where the segment wants to be.
elf() {
	local file=$1 bits=$2 order=$3 machine=$4 flags=${5:-0} type=${6:-2} at=${7:-0x400000}
	local word=4 header=52 entry=32 data=2 fields='' bytes value
	[ "$bits" = 32 ] || word=8 header=64 entry=56
	[ "$order" = big ] || data=1
	local size=$((header + entry + 16))
	local ident=(1 0x7f 1 0x45 1 0x4c 1 0x46 1 $((bits / 32)) 1 "$data" 1 1 1 0 8 0)
	local rest=(2 "$type" 2 "$machine" 4 1 "$word" $((at + header + entry)) "$word" "$header" "$word" 0
		4 "$flags" 2 "$header" 2 "$entry" 2 1 2 0 2 0 2 0)
	local load=("$word" 0 "$word" "$at" "$word" "$at" "$word" "$size" "$word" "$size")
	# PT_LOAD, readable and executable; the two layouts differ in where the permissions are
	[ "$bits" = 32 ] && load=(4 1 "${load[@]}" 4 5 4 4096) || load=(4 1 4 5 "${load[@]}" 8 4096)
	set -- "${ident[@]}" "${rest[@]}" "${load[@]}" 8 0 8 0
	while [ $# -gt 0 ]; do
		bytes=$1 value=$2
		shift 2
		fields+=$(number "$bytes" "$order" "$value")
	done
	printf '%b' "$fields" >"$file"
	chmod 0755 "$file"
}

# patch FILE OFFSET BYTE: one byte, e.g. patch FILE 15 ca
patch() { printf '%b' "\\x$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
