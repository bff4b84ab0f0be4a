#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Makes the database where there is none, then becomes the server.

set -euo pipefail

as_postgres() { exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }

if [ "${1-}" = postgres ] && [ "$(id -u)" = 0 ]; then
	mkdir -p "$PGDATA" /run/postgresql
	chown postgres:postgres "$PGDATA" /run/postgresql
	chmod 0700 "$PGDATA"
	as_postgres "$0" "$@"
fi

if [ "${1-}" = postgres ]; then
	if [ -s "$PGDATA/PG_VERSION" ]; then
		echo 'the database is there'
	else
		initdb --username=postgres --auth=trust
		pg_ctl -w -o "-c listen_addresses=''" start
		for file in /docker-entrypoint-initdb.d/*.sql; do
			echo "running $file"
			psql --no-psqlrc -v ON_ERROR_STOP=1 -f "$file"
		done
		pg_ctl -m fast -w stop
		echo 'the database is made'
	fi
fi
exec "$@"
