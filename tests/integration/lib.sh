# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the suites in this directory have in common. A suite defines a function `suite` that calls `check` for
# each case and ends with `run_suite IMAGE...`. It is run once per containerd and engine, each containerd
# being a private one that is gone afterwards (hack/lib/containerd.sh).
#
#   RUNTIME=crossarch|stock    the shim under test (crossarch), or containerd's own for comparison
#   ENGINES="runc crun"        or the path of one, /opt/runc-1.4/runc
#   CONTAINERDS="installed trixie sid"    (installed) the machine's package, what a Debian suite has, or a directory
#                              with containerd, ctr and containerd-shim-runc-v2
#   IMAGE_ARCH=foreign|ARCH    (the node's) run 10-ctr and 20-cri with this architecture's busybox, emulated
#   CASE=PATTERN               run only cases whose name matches, @(one|or|another)
#   SLOW=N                     the machine is N times slower than a usual one: be as much more patient
#   KEEP_LOG=FILE              append containerd's log, with the shim's in it, to FILE
# shellcheck disable=SC2034

set -uo pipefail
shopt -s extglob # for CASE

integration=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
hack=$integration/../../hack
: "${BUILD:=$(readlink -f "$integration/../..")/build}"
: "${RUNTIME:=crossarch}" "${ENGINES:=runc crun}" "${CONTAINERDS:=installed}"

# shellcheck source=hack/lib/cache.sh
. "$hack/lib/cache.sh"
# shellcheck source=hack/lib/journal.sh
. "$hack/lib/journal.sh"
# shellcheck source=hack/lib/binfmt.sh
. "$hack/lib/binfmt.sh"
# shellcheck source=hack/lib/cgroup.sh
. "$hack/lib/cgroup.sh"
# shellcheck source=hack/lib/containerd.sh
. "$hack/lib/containerd.sh"
# shellcheck source=tests/integration/arch.sh
. "$integration/arch.sh"

# one_containerd: for suites whose cases do not depend on the daemon's version: the first one named only.
one_containerd() { CONTAINERDS=${CONTAINERDS%% *}; }

# last_containerd: the same for what only new ones have: the last one named
last_containerd() { CONTAINERDS=${CONTAINERDS##* }; }

# on_first_containerd, on_first_engine: the same, for some of a suite's cases
on_first_containerd() { [ "$which" = "${CONTAINERDS%% *}" ]; }
on_first_engine() { [ "$engine" = "${ENGINES%% *}" ]; }

busybox=localhost/crossarch/busybox
scratch=$(mktemp -d)
tests=0
failures=0
label=

# --- TAP ----------------------------------------------------------------------------------------

say() { sed 's/^/# /'; }

skip() {
	echo "$*" >"$scratch/skip"
	exit 77
}

# check NAME FUNCTION [ARGUMENT...]: one case, in a subshell where the first failing command ends it
check() {
	local name="$1 [$label]" status output=$scratch/output begin=$SECONDS
	shift
	case $name in
	*${CASE-}*) ;;
	*) return ;;
	esac
	tests=$((tests + 1))
	(set -eu -o pipefail && "$@") >"$output" 2>&1 </dev/null
	status=$?
	case $status in
	0) echo "ok $tests - $name" ;;
	77) echo "ok $tests - $name # SKIP $(cat "$scratch/skip")" ;;
	*)
		echo "not ok $tests - $name"
		failures=$((failures + 1))
		say <"$output"
		[ "$status" = 1 ] || echo "# exit status $status"
		[ -z "$node" ] || node_clear >/dev/null 2>&1 # the next case shall not suffer from it
		;;
	esac
	[ $((SECONDS - begin)) -lt 5 ] || echo "# took $((SECONDS - begin)) s"
}

fail() {
	echo "$*" >&2 # standard output may be on its way into a variable
	exit 1
}

equal() { [ "$1" = "$2" ] || fail "got:    $1"$'\n'"wanted: $2"; }

# contains TEXT PATTERN: PATTERN as in `case`
contains() {
	# shellcheck disable=SC2254
	case $1 in
	*$2*) ;;
	*) fail "got:    $1"$'\n'"wanted: *$2*" ;;
	esac
}

# status_of WANTED COMMAND...: the command's exit status, its output on standard output
status_of() {
	local wanted=$1 status=0
	shift
	"$@" || status=$?
	[ "$status" = "$wanted" ] || fail "exit status $status, wanted $wanted: $*"
}

# refused COMMAND...: it has to fail by itself, not by our patience ending; prints what it said
refused() {
	local status=0
	"$@" 2>&1 || status=$?
	case $status in
	0) fail "succeeded: $*" ;;
	124 | 137) fail "hung: $*" ;;
	esac
}

# eventually COMMAND...: within ten seconds, counted here and not by the tries
eventually() {
	local end=$((SECONDS + 10 * SLOW))
	while ! "$@" >/dev/null 2>&1; do
		[ $SECONDS -le $end ] || fail "not after $((10 * SLOW)) s: $*"
		sleep 0.1
	done
}

# --- containers without a pod: ctr -----------------------------------------------------------------

# Ids are unique in a node, and noted, so that what they leave behind can be looked for.
new_id() {
	local id
	id=${1:-c}$(wc -l <"$node/ids")
	echo "$id" >>"$node/ids"
	echo "$id"
}

ctr() { node_ctr --namespace "$node_name" "$@"; }

# ctr_run ID IMAGE [OPTION...] -- PROGRAM [ARGUMENT...]
ctr_run() {
	local id=$1 image=$2 options=()
	shift 2
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	ctr run --cgroup "/$node_name/$id" --fifo-dir "$node/fifo" "${runtime[@]}" ${options[@]+"${options[@]}"} \
		"$image" "$id" "$@"
}

ctr_exec() {
	local id=$1
	shift
	ctr task exec --fifo-dir "$node/fifo" --exec-id "$(new_id e)" "$id" "$@"
}

ctr_status() { ctr task ls | awk -v id="$1" '$1 == id { print $3 }'; }
ctr_is() { [ "$(ctr_status "$1")" = "$2" ]; }

# watch_events FILE: containerd's events from now on, until the case ends. It is heard when an event comes through.
watch_events() {
	"$node_bin/ctr" --address "$node_socket" --namespace "$node_name" events >"$1" 2>&1 9>&- &
	watcher=$!
	# shellcheck disable=SC2064 # expanded now: the trap runs when the variable may be gone
	trap "kill $watcher 2>/dev/null || :" EXIT
	eventually hears_events "$1"
}
hears_events() { ctr namespaces label "$node_name" heard="$RANDOM" && grep -q /namespaces/update "$1"; }

# Everything of a detached container, whatever became of it.
ctr_remove() {
	ctr task kill --signal KILL "$1" >/dev/null 2>&1 || :
	eventually ctr_is "$1" STOPPED
	ctr task delete "$1" >/dev/null 2>&1 || :
	ctr container delete "$1"
}

# --- pods: the CRI ---------------------------------------------------------------------------------

cri() { node_cri "$@"; }

pod() { node_pod "$handler" "$@"; }

# container POD IMAGE [OPTION...] [-- PROGRAM [ARGUMENT...]]: created and started, its id
container() {
	local pod=$1 image=$2 id
	shift 2
	id=$(cri create "$pod" "$image" "$@") || return
	cri start "$id" >&2 || return
	echo "$id"
}

# says CONTAINER: what it had written when it ended
says() {
	cri wait "$1" >/dev/null
	cri logs "$1"
}

field() { cri status --field "$2" "$1"; }

remove_pod() {
	cri stopp "$1" >/dev/null
	cri rmp "$1" >/dev/null
}

# shims_of ID: how many shims were started for this id
shims_of() { node_shims | grep -c -- "-id $1 " || :; }

shims_are() { [ "$(node_shims | wc -l)" = "$1" ]; }

# shim_pid ID: of the shim that was started for it
shim_pid() { node_shims | awk -v id="-id $1 " 'index($0, id) { print $1 }'; }

# --- the rule all suites end with --------------------------------------------------------------------

# The stock shim's socket survives it when it is killed; ours may not.
leftovers() {
	case $RUNTIME in
	stock) node_leftovers | grep -v '^socket:' || : ;;
	*) node_leftovers ;;
	esac
}

no_leftovers() { [ -z "$(leftovers)" ]; }

clean() {
	local try
	for try in $(seq 1 $((30 * SLOW))); do
		no_leftovers && return 0
		sleep 0.1
	done
	leftovers
	fail "left behind ${try}00 ms after the last container"
}

# --- running ----------------------------------------------------------------------------------------

# What ctr and the CRI need to be told to get the shim and engine under test.
use_engine() {
	engine=$1
	case $RUNTIME-$engine in
	stock-*)
		runtime=(--runtime io.containerd.runc.v2 --runc-binary "${engine/#crun/$node_crun}")
		handler=$engine
		;;
	*)
		runtime=(--runtime "$RUNTIME_TYPE" --runtime-config-path "$node/crossarch-$engine.json")
		handler=crossarch
		[ "$engine" = runc ] || handler=crossarch-$engine
		[ -z "${NODE_DEFAULT-}" ] || handler=''
		;;
	esac
}

# One that is not the machine's is named with its version.
engine_label() {
	local program=$1
	[ "$1" != crun ] || program=$node_crun
	if [ "$program" != "$1" ] || [ -e "${node_engines-}/$1" ]; then
		"$program" --version | awk 'NR == 1 { print $1, $3 }'
	else
		echo "$1"
	fi
}

# emulated_images: the handler that IMAGE_ARCH needs
emulated_images() {
	[ -n "${IMAGE_ARCH-}" ] && ! runs_natively "$IMAGE_ARCH" || return 0
	binfmt_mount
	handlers_for "$IMAGE_ARCH"
}

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

require() {
	local program
	[ "$(id -u)" = 0 ] || skip_all "missing: root"
	for program in containerd ctr $ENGINES; do
		command -v "$program" >/dev/null || skip_all "missing $program: run hack/setup"
	done
	[ "$RUNTIME" != crossarch ] || [ -x "$BUILD/bin/containerd-shim-crossarch-v2" ] ||
		skip_all "missing $BUILD/bin/containerd-shim-crossarch-v2: run make"
	[ -x "$BUILD/bin/cri-client" ] || skip_all "missing $BUILD/bin/cri-client: run make cri"
}

take_down() {
	[ -z "$node" ] || [ -z "${KEEP_LOG-}" ] || cat "$node/log" >>"$KEEP_LOG"
	node_stop
}

finish() {
	trap - EXIT
	take_down
	host_restore
	rm -rf "$scratch"
}

# asks_runc_only: of these containerds only runtimes of runc's type are asked for their features, so that our handler
# has that type there (newer ones ask all, older ones nobody)
asks_runc_only() { [[ $node_version == @(2.[01].*|2.2.[0-6]*([!0-9]*)|2.3.[0-3]*([!0-9]*)) ]]; }

# engines_given: those of ENGINES that are paths are found under their names, before the machine's
engines_given() {
	local each names=() name
	for each in $ENGINES; do
		name=${each##*/}
		case $name in
		runc | crun) ;;
		*)
			echo "ENGINES: $each is neither runc nor crun" >&2
			return 1
			;;
		esac
		if [ "$name" != "$each" ]; then
			[ -x "$each" ] || {
				echo "ENGINES: $each cannot be executed" >&2
				return 1
			}
			node_engines=$scratch/engines
			mkdir -p "$node_engines"
			ln -s "$(readlink -f "$each")" "$node_engines/$name" || return # two of one name are one too many
		fi
		names+=("$name")
	done
	ENGINES=${names[*]}
	PATH=${node_engines:+$node_engines:}$PATH
}

# run_suite IMAGE...: archives of hack/images, imported into each containerd
run_suite() {
	local which
	engines_given || exit 1
	require
	images=$("$hack/images") || exit 1
	trap finish EXIT
	trap 'exit 130' INT TERM
	host_begin || exit 1
	emulated_images || exit 1
	! declare -F suite_host >/dev/null || suite_host || exit 1
	for which in $CONTAINERDS; do
		node_start "$which" || exit 1
		node_import "$@" || exit 1
		for engine in $ENGINES; do
			[ "$engine" != crun ] || cgroup_v1_complete
			label="containerd $node_version, $RUNTIME, $(engine_label "$engine")"
			use_engine "$engine"
			suite
			check "nothing is left behind" clean
		done
		take_down
	done
	echo "1..$tests"
	[ "$tests" != 0 ] || [ -z "${CASE-}" ] || {
		echo "# no case of this suite matches CASE='$CASE'"
		exit 2
	}
	[ "$failures" = 0 ]
}
