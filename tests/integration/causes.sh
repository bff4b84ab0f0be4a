# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For 55-causes: what was said in a situation, beside what hack/causes.md says of it; carrying out a fix; and the
# root file system with everything that cannot be executed.
# shellcheck disable=SC2154,SC2034

page=$hack/causes.md
# Names that stay the same from run to run.
config=/run/crossarch-test-config.json emulator=/run/crossarch-test-emulator
levels=/run/crossarch/cpu-levels
made_here='qemu-mips64el crossarch-mips64le crossarch-test'

# --- what is said -------------------------------------------------------------------------------

# Where a case runs: the root file system, or `target IMAGE` for one of containerd's images.
target() { image=$1 rootfs=(); }
in_root() { image=$scratch/$1 rootfs=(--rootfs); }

# started OPTION... -- PROGRAM...: by the shim in $runtime
started() { ctr_run "$(new_id)" "$image" --rm ${rootfs[@]+"${rootfs[@]}"} "$@"; }

# as_seen STATUS OUTPUT: what a person gets to see, in one line without the time of day. A refusal is what ctr
# itself says; crun, which writes to the container's output, says it twice.
as_seen() {
	local output
	output=$(sed 's/, *"time": *"[^"]*"//; s/^time="[^"]*" *//' <<<"$2" | tr -d '\r\0' | tr '\n' ' ' |
		sed 's/ *$//')
	case $output in
	*'ctr: '*) echo "refused: ${output##*ctr: }" ;;
	*) echo "started, exit code $1${output:+: $output}" ;;
	esac
}

# seen OPTION... -- PROGRAM...
seen() {
	local output status=0
	output=$(started "$@" 2>&1 | tr -d '\0') || status=$?
	as_seen "$status" "$output"
}

by_stock() {
	local runtime=(--runtime io.containerd.runc.v2 --runc-binary "${engine/#crun/$node_crun}")
	seen "$@"
}

# only_ours ANSWER: only the line, for all around it is containerd's
only_ours() {
	local answer=$1
	[[ $answer != *crossarch[\[]* ]] || answer=crossarch[${answer#*crossarch[}
	answer=${answer%: failed precondition}
	echo "${answer%: exit status 1: unknown}"
}

# page_says CAUSE WHO: the indented line of that name below the sentence
page_says() {
	awk -v cause="$1" -v who="$2" '
		!/^    / && NF { here = $0 == cause || index($0, cause " *") == 1 }
		here && $1 == who { sub(/^ *[a-z]+ +/, ""); print; exit }' "$page"
}

# The engines' words are those of the versions that the page names; others word it differently.
page_versions() {
	grep -qF "containerd $node_version " "$page" &&
		grep -qF "$engine $("$engine" --version | awk 'NR == 1 { print $3 }') " "$page"
}

# said CAUSE WHO LINE: which other handlers this machine has is not compared, nor $advice_here, which the page's node
# has not
said() {
	local line=${3/"${advice_here-}"/}
	if [[ $line =~ ^(.*\(enabled\ here:\ )[a-z0-9,\ ]*(\).*)$ ]]; then
		line=${BASH_REMATCH[1]}$foreign${BASH_REMATCH[2]}
	fi
	printf '%s\t%s\t%s\n' "$1" "$2" "$line" >>"$scratch/said"
	[ -n "${CAUSES_WRITE-}" ] || equal "$line" "$(page_says "$1" "$2" | as_here)"
}

# cause SENTENCE OPTION... -- PROGRAM...: both shims in this situation; ours in $line
cause() {
	local sentence=$1 stock
	shift
	stock=$(by_stock "$@")
	line=$(only_ours "$(seen "$@")")
	[ "${#line}" -le 900 ] || fail "too long: $line"
	contains "$line" 'crossarch?*?: *; *. Fix: *.'
	said "$sentence" crossarch "$line"
	! page_versions || said "$sentence" "$engine" "$stock"
}

# warned SENTENCE CODE OPTION... -- PROGRAM...: what happens is what happened before, and containerd's log has
# the line
warned() {
	local sentence=$1 code=$2 stock begin
	shift 2
	stock=$(by_stock "$@")
	begin=$(stat -c %s "$node/log")
	equal "$(seen "$@")" "$stock"
	line=$(tail -c "+$((begin + 1))" "$node/log" | sed -n "s/.*msg=\"\(crossarch\[$code\].*\)\" runtime=.*/\1/p")
	line=${line//\\\"/\"}
	[ -n "$line" ] || fail "no such line in containerd's log"
	[ "${#line}" -le 900 ] || fail "too long: $line"
	said "$sentence" crossarch "$line"
	! page_versions || said "$sentence" "$engine" "$stock"
}

# --- the fix ------------------------------------------------------------------------------------

# typed N: the Nth thing in quotes of our line's fix
typed() { cut -d'"' -f$((2 * $1)) <<<"${line##*Fix: }"; }

# on_the_node COMMAND: as typed; what it would leave for the next boot goes to a place that is gone afterwards
on_the_node() {
	local name
	for name in $made_here; do
		host_change binfmt_unregister "$name" -- :
	done
	# shellcheck disable=SC2016
	PATH=$BUILD/bin:$PATH unshare -m --propagation slave sh -ec '
		mount -t tmpfs tmpfs /etc/binfmt.d
		eval "$1"' sh "$1" >&2
}

# runs WANTED OPTION... -- PROGRAM...: under crossarch
runs() {
	local wanted=$1
	shift
	equal "$(started "$@" 2>&1)" "$wanted"
}

# --- situations: handlers -------------------------------------------------------------------------

# All of these hold until the end of the subshell that a case is.

handlers_back() {
	local name
	for name in $made_here; do
		binfmt_unregister "$name"
	done
}

# Nobody else here runs programs of mips64le: what happens to its handlers disturbs no one. Of the node's own
# programs and of amd64's, only what has 0xca in the last byte of its padding is ours, lest we take everything on this
# machine.
zeros='\x00\x00\x00\x00\x00\x00\x00' ones='\xff\xff\xff\xff\xff\xff\xff'
of_mips64le="\x7fELF\x02\x01\x01\x00$zeros\x00\x02\x00\x08\x00"
of_amd64_marked="\x7fELF\x02\x01\x01\x00$zeros\xca\x02\x00\x3e\x00"
of_native_marked=$(header_of "$native" ca)
of_native_marked=${of_native_marked%:*}

# test_handler INTERPRETER FLAGS [HEADER]: the last one registered is the one the kernel takes
test_handler() {
	host_change binfmt_unregister crossarch-test -- write_to "$binfmt/register" \
		":crossarch-test:M::${3-$of_mips64le}:$ones\x00$ones\xff\x00\x00\xff\xff:$1:$2"
}

# The page, with what was said this time.
write_page() {
	awk -F'\t' '
		FILENAME == ARGV[1] { said[$1, $2] = $3; next }
		!/^    / && NF { cause = $0 }
		match($0, /^    (runc|crun|crossarch) */) {
			who = $0
			sub(/^ */, "", who)
			sub(/ .*/, "", who)
			if ((cause, who) in said)
				$0 = sprintf("    %-9s  %s", who, said[cause, who])
		}
		{ print }' "$scratch/said" "$page"
}

# --- files ----------------------------------------------------------------------------------------

program_of() {
	local root
	root=$("$hack/debs" ports "$1" busybox-static) || return
	echo "$root/usr/bin/busybox"
}

# compile TEXT FILE OPTION...: a program compiled here that prints the text
compile() {
	local text=$1 file=$2
	shift 2
	printf '#include <stdio.h>\nint main(void) { puts("%s"); return 0; }\n' "$text" |
		"${CC:-gcc}" -O2 -s -o "$file" "$@" -x c -
}

foreign_files() {
	local program
	mkdir s390x mips64le padded
	cp "$(program_of s390x)" s390x/uname
	program=$("$hack/debs" bookworm mips64el busybox-static)/bin/busybox # the last Debian that has this one
	cp "$program" mips64le/uname
	cp "$program" mips64le/sh
	cp "$program" padded/uname
	cp "$("$hack/debs" bookworm mips64el busybox)/bin/busybox" mips64le/dynamic
	patch padded/uname 9 01
	mkdir -p dotnet/host/fxr/8.0.0 dotnet-link dotnet-app
	cp mips64le/uname dotnet/dotnet
	ln -s ../dotnet/dotnet dotnet-link/uname
	cp mips64le/uname dotnet-app/
	echo '{"runtimeOptions":{}}' >dotnet-app/uname.runtimeconfig.json
	: >dotnet-app/uname.dll
	elf mips64le/small-pages 64 little 8 0x80000000 2 0x400400
	mkdir marked-native set-user-id
	cp bin/busybox marked-native/uname
	patch marked-native/uname 15 ca
	cp mips64le/uname set-user-id/
	chmod 4755 set-user-id/uname
	elf x32 32 little 62
	elf arm64be 64 big 183
	elf mips-n32 32 big 8 0x20
	elf unknown-machine 64 little 4919
	cp bin/busybox emulator-mode
	chmod 0644 emulator-mode
	: >emulator-empty
	chmod 0755 emulator-empty
	elf emulator-foreign 64 little 258
}

script_files() {
	echo 'echo it runs' >no-shebang
	printf '\357\273\277#!/bin/sh\necho it runs\n' >bom
	printf '#!\necho it runs\n' >nameless
	printf '#!/bin/sh\r\necho it runs\r\n' >crlf
	printf '#!/bin/bash\necho it runs\n' >no-interpreter
	printf '#!/too-deep\n' >too-deep
	chmod 0755 no-shebang bom nameless crlf no-interpreter too-deep
	printf '#!/bin/sh\necho it runs\n' >no-x-bit
	chmod 0644 no-x-bit
	printf 'import sys\nprint(sys.argv)\n' >main.py
	printf '\377\376#\0!\0/\0b\0i\0n\0/\0s\0h\0\n\0' >utf-16
	printf '#!/%0300d\n' 0 >long-name
	chmod 0755 main.py utf-16 long-name
	chain
}

# Each one's interpreter is the next.
chain() {
	local i
	for i in 1 2 3 4; do
		printf '#!/chain-%d\n' $((i + 1)) >chain-$i
	done
	printf '#!/mips64le/sh\necho it runs\n' >chain-5
	chmod 0755 chain-?
}

# end_of_segments FILE: the offset behind the last one that is loaded
end_of_segments() { echo $(($(readelf -lW "$1" | awk '$1 == "LOAD" { last = $2 "+" $5 } END { print last }'))); }

damaged_files() {
	mkdir cut-end
	: >empty
	head -c 4096 /dev/zero >zeros
	head -c 40 bin/busybox >cut-header
	head -c 8192 bin/busybox >cut-segment
	head -c $(($(end_of_segments bin/busybox) - 1)) bin/busybox >cut-end/uname
	chmod 0755 empty zeros cut-header cut-segment cut-end/uname
}

# assembly FILE: the headers of a PE file with a directory for .NET; such files have no x bit
assembly() {
	local i
	head -c 512 /dev/zero >"$1"
	chmod 0644 "$1"
	patch "$1" 0 4d && patch "$1" 1 5a && patch "$1" 60 80 # MZ, and where PE begins
	patch "$1" 128 50 && patch "$1" 129 45
	patch "$1" 152 0b && patch "$1" 153 02 # PE32+
	for i in 376 377; do
		patch "$1" "$i" 20
	done
}

other_files() {
	printf 'MZ\220\0\3\0\0\0' >program.exe
	assembly app.dll
	printf "MZqFpD='\n" >ape
	printf '<!DOCTYPE html>\n<html><title>Not Found</title></html>\n' >page
	printf 'Not Found\n' >answer
	printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7\n' >pointer
	chmod 0755 ape page answer pointer
	compile 'it runs' freebsd -Wl,--dynamic-linker=/libexec/ld-elf.so.1
	printf '\317\372\355\376\7\0\0\1\3\0\0\0\2\0\0\0' >macos
	printf '\0asm\1\0\0\0' >module.wasm
	printf 'PK\3\4\24\0\10\10' >app.jar
	printf '\312\376\272\276\0\0\0\101' >Main.class
	printf '\1\2\3\4\5\6\7\10' >unknown
	gzip -nc bin/busybox | head -c 4096 >program.gz
	elf object.o 64 little "${elf_of[$native]}" 0 1
	elf core 64 little "${elf_of[$native]}" 0 4
	chmod 0755 program.exe macos module.wasm app.jar Main.class unknown program.gz
	mkdir directory
	mkfifo fifo
	ln -s loop-b loop-a
	ln -s loop-a loop-b
}

# The root file system all programs run in, with busybox and nothing dynamic.
make_root() {
	mkdir "$scratch/root"
	cd "$scratch/root" || return
	mkdir bin dev etc mnt proc sys tmp run dynamic
	cp "$(program_of "$native")" bin/busybox
	for applet in cat chmod env false sh sleep true uname; do
		ln -s busybox "bin/$applet"
	done
	foreign_files
	script_files
	damaged_files
	other_files
	compile 'it runs' dynamic/program
	elf small-pages 64 little "${elf_of[$native]}" 0 2 0x400400
}

# variant NAME: a copy of the root file system to put a loader in, the current directory from now on
variant() {
	cp -a "$scratch/root" "$scratch/$1"
	cd "$scratch/$1" || return
	mkdir -p lib lib64 libx32
}

# level LEVEL: an amd64 program built for that level of x86-64, by gcc or Debian's cross compiler, which is unpacked
# into the cache
level() {
	local root name=levels/$1
	if [ "$native" = amd64 ]; then
		compile 'it runs' "$name" "-Wl,-z,x86-64-$1"
	else
		root=$("$hack/rootfs" bookworm "${debian_of[$native]}" gcc-x86-64-linux-gnu libc6-dev-amd64-cross) || return
		CC=in_compilers compile 'it runs' "/tmp/level-$$" "-Wl,-z,x86-64-$1" && mv "$root/tmp/level-$$" "$name" || return
	fi
	patch "$name" 15 ca
}
in_compilers() { chroot "$root" x86_64-linux-gnu-gcc "$@"; }

make_levels() {
	local root
	variant levels
	mkdir levels
	root=$("$hack/rootfs" bookworm amd64 coreutils) || return
	cp -L "$root/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" lib64/
	cp -L "$root/usr/lib/x86_64-linux-gnu/libc.so.6" lib/
	level v3 && level v4
}

make_variants() {
	local loader=${loader_of[$native]}
	variant glibc
	cp -L "$loader" ".$loader"
	cp -L "$(ldd dynamic/program | awk '$1 == "libc.so.6" { print $3 }')" lib/
	make_levels || return
	variant musl
	cp "$("$hack/debs" ports "$native" musl)/usr/lib/$native_machine-linux-musl/libc.so" "lib/ld-musl-$native_machine.so.1"
	variant x32-loader
	elf libx32/ld-linux-x32.so.2 32 little 62 0 3
	cp -a "$scratch/glibc" "$scratch/loader-mode"
	chmod 0644 "$scratch/loader-mode$loader"
	variant loader-foreign
	elf ".$loader" 64 little "${elf_of[$foreign]}" 0 3
	variant loader-text
	echo '# a linker script, where the loader should be' >".$loader"
	chmod 0755 ".$loader"
	variant mapped
	chmod 0755 "$scratch" # its root is nobody in particular on the node
	chown -R 100000:100000 .
}

# --- the words --------------------------------------------------------------------------------------

# The page has every code that can be explained and no other, the README has them all. And every situation on the
# page is built here, or the page says what has checked it instead.
# shellcheck disable=SC2016
same_codes() {
	local readme=$hack/../README.md sentence
	"$BUILD/bin/crossarch" explain | awk '{ print $1 }' | sort >"$scratch/explained"
	sed -n 's/^## \([a-z0-9-]*\).*/\1/p' "$page" | sort -u | diff "$scratch/explained" -
	grep -o '`[a-z0-9-]*`' "$readme" | tr -d '`' | grep -xFf "$scratch/explained" | sort -u | diff "$scratch/explained" -
	awk '/^    crossarch / { print sentence } !/^    / && NF { sentence = $0 }' \
		"$page" | while read -r sentence; do
		case $sentence in
		*'*Not built:'* | *'*Tried in '* | *'tests/unit/'*) ;;
		*) grep -qF -- "$sentence" "$integration/55-causes.test" || fail "not tried: $sentence" ;;
		esac
	done
}

# --- the machine ------------------------------------------------------------------------------------

# A machine that has all of the package's handlers does without these for the time being.
handlers() {
	local name
	for name in qemu-mips{,el,n32,n32el,64,64el} qemu-aarch64_be qemu-loongarch64; do
		! binfmt_registered "$name" || host_change binfmt_register "$name" -- binfmt_unregister "$name"
	done
	handlers_for "$foreign"
}
