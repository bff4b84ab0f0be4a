# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What trying packages in a Debian system of their own needs. The caller has sourced lib.sh and chroot.sh; the packages
# are in $work.
# shellcheck disable=SC2086,SC2154

require_tools() {
	local missing=
	[ "$(id -u)" = 0 ] || skip_all "missing: root"
	for program in debootstrap dh lintian; do
		command -v "$program" >/dev/null || missing+=" ${program/#dh/debhelper}"
	done
	[ -z "$missing" ] || {
		echo "# installing$missing" >&2
		DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends --no-remove dpkg-dev \
			$missing </dev/null >&2 || skip_all "missing$missing"
	}
}

# What a package manager, its caches and containerd's content do not write by themselves.
files() {
	inside find / -xdev ! -path '/var/lib/dpkg/*' ! -path '/var/cache/*' ! -path '/var/log/*' ! -path '/tmp*' \
		! -path '/var/lib/apt/*' ! -path '/var/lib/containerd*' ! -path '/root/*' ! -path '/etc/ld.so.cache' \
		! -path '/opt/*' ! -path '/var/lib/cni*' -printf '%p %y %m %u %s\n' | grep -v ' d ' | LC_ALL=C sort
}

lintian_is_silent() {
	equal "$(lintian --fail-on error,warning "$work"/one/*.changes 2>/dev/null)" ''
}
