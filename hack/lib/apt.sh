# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Packages of any Debian suite and architecture, without touching the machine's own apt: it gets its own
# configuration, sources, state and cache. The caller sets $suite and $arch and has sourced cache.sh.
# shellcheck disable=SC2034,SC2154

mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
apt=$cache/apt/$suite-$arch

apt_configure() {
	mkdir -p "$apt/etc" "$apt/state/lists/partial" "$apt/cache/archives/partial"
	: >"$apt/state/status"
	echo "deb [signed-by=$keyring] $mirror $suite main" >"$apt/etc/sources.list"
	# Not the machine's apt.conf.d: hooks there belong to the machine's package state. A proxy, and what
	# this machine has to say about certificates and dates, are the only things taken from it.
	{
		apt-config dump | grep -E '^Acquire::(https?::|Check-|Retries)' || :
		cat <<-END
			Dir::Etc::SourceList "$apt/etc/sources.list";
			Dir::Etc::SourceParts "/dev/null";
			Dir::Etc::Parts "/dev/null";
			Dir::Etc::Preferences "/dev/null";
			Dir::Etc::PreferencesParts "/dev/null";
			Dir::State "$apt/state";
			Dir::State::status "$apt/state/status";
			Dir::Cache "$apt/cache";
			Dir::Cache::pkgcache "";
			Dir::Cache::srcpkgcache "";
			APT::Architecture "$arch";
			APT::Architectures { "$arch"; };
			APT::Sandbox::User "root";
			Acquire::Languages "none";
			Acquire::GzipIndexes "true";
		END
	} >"$apt/apt.conf"
	export APT_CONFIG=$apt/apt.conf
}

# Several packages of one suite share its index; an hour is long enough to download them all.
apt_update() {
	[ -z "${CROSSARCH_REFRESH-}" ] && [ -n "$(find "$apt/updated" -mmin -60 2>/dev/null)" ] && return
	apt-get update -qq
	touch "$apt/updated"
}
