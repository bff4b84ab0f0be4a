# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For suites that checkpoint: Debian sid's criu in the PATH of containerd, and a crun that finds criu's library.
# shellcheck disable=SC2034,SC2154

# It locks a container's network while it looks at it, by default with iptables, which a machine need not have.
criu_setup() {
	local criu
	[ "$(uname -m)" = x86_64 ] || [ "$(uname -m)" = aarch64 ] || skip_all "written for criu on amd64 and arm64"
	criu=$("$hack/engine" sid criu) || skip_all "criu of Debian sid cannot be had"
	"$criu" check >/dev/null 2>&1 || skip_all "criu check: $("$criu" check 2>&1 | tail -n 1)"
	node_path=$scratch/criu
	mkdir -p "$node_path"
	echo 'network-lock nftables' >"$scratch/criu.conf"
	printf '#!/bin/sh\nCRIU_CONFIG_FILE=%s exec %s "$@"\n' "$scratch/criu.conf" "$criu" >"$node_path/criu"
	chmod 0755 "$node_path/criu"
}

# crun_with_criu: Debian's crun loads criu's library when it is there; 12's was built without. On cgroup v1 its restore
# may kill every process of the machine, so that there the one here has none, whatever asks for it.
crun_with_criu() {
	local crun guarded=$scratch/guarded/crun
	case " $ENGINES " in
	*' crun '*) ;;
	*) return 0 ;;
	esac
	crun=$("$hack/engine" sid crun libcriu2) || skip_all "crun and libcriu2 of Debian sid cannot be had"
	mkdir -p "${guarded%/*}"
	cat >"$guarded" <<-END
		#!/bin/bash
		for word; do
			[ "\$word" != restore ] || [ -e /sys/fs/cgroup/cgroup.controllers ] || {
				echo "restore on cgroup v1: not with this crun" >&2
				exit 1
			}
		done
		exec $crun "\$@"
	END
	chmod 0755 "$guarded"
	ENGINES=" $ENGINES "
	ENGINES=${ENGINES/ crun / $guarded }
}

# restores: whether this engine can; crun on cgroup v1 is refused by us, and by the stock shim's way of asking
restores() { [ "$engine" != crun ] || [ -e /sys/fs/cgroup/cgroup.controllers ]; }
