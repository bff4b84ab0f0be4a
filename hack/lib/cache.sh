# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Where downloads and made images are kept between runs. Everything below it can be deleted at any time.
# shellcheck disable=SC2034

if [ -n "${CROSSARCH_CACHE-}" ]; then
	cache=$CROSSARCH_CACHE
elif [ "$(id -u)" = 0 ]; then
	cache=/var/cache/crossarch-test
else
	cache=${XDG_CACHE_HOME:-$HOME/.cache}/crossarch-test
fi
