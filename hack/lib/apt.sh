# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Packages of any Debian suite and architecture, without touching the machine's own apt: it gets its own
# configuration, sources, state and cache. The caller has sourced cache.sh.
# shellcheck disable=SC2154

mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# apt_suites NAME: the suites it stands for, best first. "ports" is any that has all architectures we use; a
# mirror in the middle of an update may have a suite for some architectures only.
apt_suites() {
	case $1 in
	ports) echo trixie sid ;;
	*) echo "$1" ;;
	esac
}

# apt_acquire: the only part of the machine's configuration that counts: a proxy, and what it has to say about
# certificates and dates. Hooks in its apt.conf.d belong to the machine's package state.
apt_acquire() { apt-config dump | grep -E '^Acquire::(https?::|Check-)' || :; }

# apt_configure SUITE ARCHITECTURE: apt is that one's from here on; its files are in $apt
apt_configure() {
	apt=$cache/apt/$1-$2
	mkdir -p "$apt/etc" "$apt/state/lists/partial" "$apt/cache/archives/partial"
	: >"$apt/state/status"
	echo "deb [signed-by=$keyring] $mirror $1 main" >"$apt/etc/sources.list"
	unset APT_CONFIG
	{
		apt_acquire
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
			APT::Architecture "$2";
			APT::Architectures { "$2"; };
			APT::Sandbox::User "root";
			Acquire::Retries "3";
			Acquire::Languages "none";
			Acquire::GzipIndexes "true";
		END
	} >"$apt/apt.conf"
	export APT_CONFIG=$apt/apt.conf
}

# Several packages of one suite share its index; an hour is long enough to download them all.
apt_update() {
	[ -z "${CROSSARCH_REFRESH-}" ] && [ -n "$(find "$apt/updated" -mmin -60 2>/dev/null)" ] && return
	apt-get update -qq && touch "$apt/updated"
}

# apt_first SUITES ARCHITECTURE COMMAND...: run it with the first suite for which it succeeds. `set -e` has no
# effect in a command whose success is asked for, so the command has to end by itself where it fails.
apt_first() {
	local suites=$1 architecture=$2 suite
	shift 2
	for suite in $suites; do
		apt_configure "$suite" "$architecture"
		(apt_update && "$@") 2>"$apt/errors" && return
		echo "Debian $suite ($architecture) cannot be had: $(grep -m 1 '^E:' "$apt/errors")" >&2
	done
	return 1
}
