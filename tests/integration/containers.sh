# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A container of hack/app-image, driven through a pod (the CRI, as the kubelet does) or through ctr, by the same
# few commands. All that it says and how it ends is printed, so that two runs can be compared. The caller has
# sourced lib.sh.
# shellcheck disable=SC2034,SC2154

# the_container SHIM WAY APP ARCHITECTURE: what the rest is about from here on; SHIM is stock or crossarch, WAY
# is pod or ctr
the_container() {
	local RUNTIME=$1
	shim=$1 way=$2 app=$3 arch=$4
	app_image=localhost/crossarch/$app:$arch
	attempt=0
	volumes=()
	port=$((20000 + RANDOM % 10000)) # the network is the machine's
	log=$(mktemp "$scratch/log.XXXXXX")
	use_engine "$engine"
	[ "$way" = ctr ] || pod=$(pod)
}

# volume DIRECTORY: an empty one, which stays when the container is made again
volume() { volumes+=("$(mktemp -d "$node/volume.XXXXXX") $1"); }

# up [ARGUMENT...]: made and started, detached; with the image's own arguments if none are given. ctr puts them in
# the place of the entrypoint as well, so that the caller has it in $entrypoint.
up() { "up_$way" "$@"; }

up_pod() {
	local options=(--seccomp runtime/default --attempt "$attempt" --env "PORT=$port" --env "PGPORT=$port") item
	for item in ${volumes[@]+"${volumes[@]}"}; do
		options+=(--mount "${item/ /:}")
	done
	for item; do
		options+=(--arg "$item")
	done
	id=$(container "$pod" "$app_image" "${options[@]}")
}

ctr_options() {
	local item
	options=(--net-host --seccomp --env "PORT=$port" --env "PGPORT=$port")
	for item in ${volumes[@]+"${volumes[@]}"}; do
		options+=(--mount "type=bind,src=${item% *},dst=${item#* },options=rbind:rw")
	done
}

up_ctr() {
	local options
	ctr_options
	: >"$log"
	id=$(new_id)
	ctr_run "$id" "$app_image" -d --log-uri "file://$log" "${options[@]}" -- ${@:+"${entrypoint[@]}" "$@"} </dev/null
}

# into COMMAND...: an exec; its output and exit status
into() {
	case $way in
	pod) cri exec "$id" -- "$@" ;;
	ctr) ctr_exec "$id" "$@" ;;
	esac
}

running() {
	case $way in
	pod) [ "$(field "$id" state)" = Running ] ;;
	ctr) ctr_is "$id" RUNNING ;;
	esac
}

# ready COMMAND...: asked as the kubelet asks a probe, until it succeeds: each time it ends, with a status, in the
# time it has. Four minutes are for a database that is made by an emulator on a loaded machine.
ready() {
	local end=$((SECONDS + 240 * SLOW)) said
	until said=$(probe "$@" 2>&1); do
		case $said in
		*'rpc error'*DeadlineExceeded*) ;;
		*'rpc error'*) ! still_running || fail "a probe is an error of the call: $said" ;;
		esac
		running || fail "ended before it was ready:"$'\n'"$(written 2>&1)"
		[ $SECONDS -lt $end ] || fail "not ready after $((240 * SLOW)) s: $said"
		sleep 0.3
	done
	echo ready
}
probe() {
	case $way in
	pod) cri exec --timeout $((10 * SLOW)) "$id" -- "$@" ;;
	ctr) ctr_exec "$id" "$@" ;;
	esac
}

# What an exec met may be known a moment later than that it failed.
still_running() { sleep 1 && running; }

# asked COMMAND...: what an exec says on either stream, and its status
asked() {
	local status=0
	into "$@" 2>&1 || status=$?
	echo "status $status"
}

# down [GRACE]: stopped with the signal that the image names, after that many seconds (10) by force
down() {
	echo "ended with $("down_$way" "${1-10}")"
}

down_pod() {
	cri stop --grace "$1" "$id" >/dev/null
	field "$id" exit_code
}

down_ctr() {
	local end=$((SECONDS + $1)) answer
	[ "$1" = 0 ] || ctr task kill "$id"
	until ctr_is "$id" STOPPED; do
		[ $SECONDS -lt "$end" ] || ctr task kill --signal KILL "$id" || :
		sleep 0.1
	done
	answer=$(ctr task delete "$id" 2>&1) # warns of a status that is not 0
	sed -nE 's/.*exit code ([0-9]+).*/\1/p' <<<"${answer:-exit code 0}"
}

# written: all it wrote, each stream to its own where they are told apart
written() {
	case $way in
	pod) cri logs "$id" ;;
	ctr) cat "$log" ;;
	esac
}

# again [ARGUMENT...]: another container of the same pod, or with the same volumes
again() {
	gone
	attempt=$((attempt + 1))
	up "$@"
}

gone() {
	case $way in
	pod) cri rm "$id" >/dev/null ;;
	ctr) ctr container delete "$id" ;;
	esac
}

# once [ARGUMENT...]: started, and left to end by itself
once() {
	local status=0 options
	case $way in
	pod)
		again "$@"
		status=$(cri wait "$id")
		cri logs "$id" 2>"$scratch/errors"
		;;
	ctr)
		ctr_options
		ctr_run "$(new_id)" "$app_image" --rm "${options[@]}" -- "${entrypoint[@]}" "$@" \
			2>"$scratch/errors" </dev/null || status=$?
		;;
	esac
	sed 's/^/error output: /' "$scratch/errors"
	echo "ended with $status"
}

# the_end: nothing of it is left
the_end() {
	case $way in
	pod) remove_pod "$pod" ;;
	ctr) gone ;;
	esac
}

# http PATH: a server's answer without its header. Only a shell of the image's architecture is needed.
http() {
	# shellcheck disable=SC2016
	into bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0" && printf "GET %s HTTP/1.0\r\n\r\n" "$1" >&3 && cat <&3' "$port" "$1" |
		sed '1,/^\r$/d'
}

# listens: for ready
# shellcheck disable=SC2016
listens() { ready bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0"' "$port"; }
