# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Pods with hostUsers: false, as the kubelet asks for them. They need containerd 1.7 or 2, a network of their
# own with a plugin for it, and an engine that can map the ids of mounts: those of the containerd's Debian suite.
# shellcheck disable=SC2034,SC2154

eval "$(declare -f node_config | sed '1s/.*/node_config_userns()/')"
node_config() {
	local plugins
	plugins=$("$hack/debs" bookworm "$native" containernetworking-plugins)/usr/lib/cni
	node_config_userns | sed "s,\"/usr/lib/cni\",\"$plugins\","
	cat >"$node/cni/10-ptp.conflist" <<-END
		{"cniVersion": "0.4.0", "name": "$node_name", "plugins": [{"type": "ptp", "ipam":
			{"type": "host-local", "subnet": "10.$((RANDOM % 200 + 50)).$((RANDOM % 256)).0/24", "dataDir": "$node/ipam"}}]}
	END
}

# Where the CRI's library for networks keeps notes.
! declare -F suite_host >/dev/null || eval "$(declare -f suite_host | sed '1s/.*/suite_host_userns()/')"
suite_host() {
	! declare -F suite_host_userns >/dev/null || suite_host_userns || return
	[ -e /var/lib/cni ] || host_change rm -rf /var/lib/cni -- mkdir /var/lib/cni
}

# with_engine: no options of the runtime, so the engine is the one that PATH has, under the name looked for first
with_engine() {
	local path
	path=$("$hack/engine" "$(engines_beside "$which" bookworm)" "$engine")
	mkdir -p "$scratch/$which-$engine"
	ln -sf "$path" "$scratch/$which-$engine/runc"
	label="containerd $node_version, $RUNTIME, $("$path" --version | awk 'NR == 1 { print $1, $3 }')"
	node_path=$scratch/$which-$engine
	node_restart
}

# pod_with_userns HANDLER [OPTION...]
pod_with_userns() {
	local id handler=$1
	shift
	id=$(cri runp --userns 200000:65536 --runtime "$handler" --cgroup-parent "/$node_name" \
		--log-dir "$node/logs/$RANDOM$RANDOM" "$@") || return
	echo "$id" >>"$node/ids"
	echo "$id"
}
