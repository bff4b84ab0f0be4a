#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs what is in /docker-entrypoint.d, then the server.

set -e
case $1 in
nginx)
	find /docker-entrypoint.d/ -follow -type f | sort | while read -r script; do
		echo "$0: running $script"
		"$script"
	done
	;;
esac
exec "$@"
