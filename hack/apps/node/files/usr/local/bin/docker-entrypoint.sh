#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What is no program is for node: options and scripts.

set -e
if [ "${1#-}" != "$1" ] || ! command -v "$1" >/dev/null; then
	set -- node "$@"
fi
exec "$@"
