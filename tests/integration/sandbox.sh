# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the suites about pods without a pause process have in common: handlers with sandboxer = "shim", one of them with
# streams instead of FIFOs. Sourced after lib.sh and userns.sh, which gives such pods a network of their own.
# shellcheck disable=SC2120,SC2154

# Without options: with them containerd makes no container in a user namespace of a handler of another type.
eval "$(declare -f node_config | sed '1s/.*/node_config_networks()/')"
node_config() {
	node_config_networks
	cat <<-END
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.pauseless]
		  runtime_type = "$RUNTIME_TYPE"
		  sandboxer = "shim"
		  pod_annotations = ["io.crossarch.*"]
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.streams]
		  runtime_type = "$RUNTIME_TYPE"
		  sandboxer = "shim"
		  io_type = "streaming"
		  pod_annotations = ["io.crossarch.*"]
	END
}

# The parent of a pod's cgroups, and of its containers'.
sandbox_parent() { echo "${cgroup_parent:-/$node_name}"; }

# sandbox_pod HANDLER [OPTION...]: a pod with a network of its own, its id
sandbox_pod() {
	local id handler=$1
	shift
	id=$(cri runp --runtime "$handler" --cgroup-parent "$(sandbox_parent)" --log-dir "$node/logs/$RANDOM$RANDOM" "$@") || return
	echo "$id" >>"$node/ids"
	echo "$id"
}
pauseless() { sandbox_pod pauseless "$@"; }
streams() { sandbox_pod streams "$@"; }

# The status of these pods does not tell the configuration, so that the client has to be told again.
eval "$(declare -f container | sed '1s/.*/container_of_pod()/')"
container() { container_of_pod "$1" "$2" --cgroup-parent "$(sandbox_parent)" --log-dir "$node/logs/$1" "${@:3}"; }

asks_for_sandboxes() { [[ $node_version != 1.* ]]; }
offers_streams() { grep -q io_type "$node_bin/containerd"; }

# holder: of the namespaces of the only pod here
holder() { node_shims | cut -d' ' -f1 | xargs -r -n1 pgrep -x crossarch-pause -P; }
no_holder() { [ -z "$(holder)" ]; }
namespace() { cri exec "$1" -- readlink "/proc/self/ns/$2"; }
namespace_of() { readlink "/proc/$1/ns/$2"; }
no_zombies() { [ "$(cri exec "$1" -- sh -c 'grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null | wc -l')" = 0 ]; }

ends() {
	remove_pod "$1"
	no_holder || fail "its namespaces are still held"
}

exited() { [ "$(field "$1" state)" = Exited ]; }

# logged CONTAINER TEXT: all it has written to standard output
logged() { [ "$(cri logs "$1" 2>/dev/null)" = "$2" ]; }

# complained CONTAINER TEXT: the same of standard error
complained() { [ "$(cri logs "$1" 2>&1 >/dev/null)" = "$2" ]; }

sum() { md5sum | cut -d' ' -f1; }
