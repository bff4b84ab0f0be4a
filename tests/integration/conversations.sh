# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What is done with a container of each program of hack/apps: talk_NAME starts it as its image says, probes it until
# it is ready, asks it, looks into it, stops it, starts it again, kills it, and has it run to an end of its own. What
# is printed is the same from run to run. The caller has sourced containers.sh.
# shellcheck disable=SC2016,SC2034,SC2154

# said [FILTER...]: all that the container wrote. Each stream for itself where they are told apart; in ctr's file
# they are mixed in an order that differs from run to run.
said() {
	local sorted='cat'
	[ "$way" = pod ] || sorted='sort'
	echo "-- output"
	written 2>"$scratch/errors" | normalised | "${@:-cat}" | $sorted
	echo "-- error output"
	normalised <"$scratch/errors" | "${@:-cat}"
}

# What differs from one run to the next on the same machine.
normalised() {
	sed -E "s/\b$port\b/PORT/g"'
		s/[0-9]{4}[-\/][0-9]{2}[-\/][0-9]{2}[ T][0-9:.]+( UTC)?/TIME/g
		s/\[[0-9]{2}\/[A-Z][a-z]{2}\/[0-9]{4}[ :][0-9:]+( [+-][0-9]{4})?\]/[TIME]/g'
}

# Two thousand lines that a program writes when it is told to end: in order, and none is lost.
lines() {
	awk '$0 == "line " n + 1 " of 2000" { n++; next } { print } END { print n + 0, "lines in order" }'
}

talk_bash() {
	entrypoint=(docker-entrypoint.sh)
	up
	ready test -e /tmp/ready
	asked bash -c 'echo "$GREETING"; pwd; id; exit 7'
	asked no-such-program | grep '^status'
	down
	said lines
	again -c 'trap "" TERM; echo deaf; touch /tmp/ready; while :; do sleep 1; done'
	ready test -e /tmp/ready
	down 1
	said
	once -c 'echo "$GREETING"; exit 7'
	once no-such-program | tail -n 1
}

talk_perl() {
	entrypoint=(perl)
	up
	listens
	http /
	asked perl -e 'print "$0 $ENV{GREETING} $<\n"; kill TERM => $$; sleep 10'
	down
	said lines
	again
	listens
	down 0
	once -e 'print "one\n"; print STDERR "two\n"; exit 7'
	once -e 'my $child = fork; if (!$child) { kill ABRT => $$; sleep 10 } waitpid $child, 0; printf "%d\n", $? & 127'
}

talk_python() {
	entrypoint=(python3 -m http.server --bind 127.0.0.1)
	up "$port"
	listens
	http /hello
	asked python3 -c 'import os, sys, threading
t = [threading.Thread(target=print, args=(n,)) for n in range(3)]
[(x.start(), x.join()) for x in t]
print(os.getcwd(), os.getuid(), os.environ["PYTHONUNBUFFERED"]); sys.exit(7)'
	down 2 | deaf
	said
	again "$port"
	listens
	http /hello
	down 0
	once --no-such-option
}

# Process 1 without a handler is deaf to SIGTERM. Not so qemu: it ends in its program's place, which it cannot as
# process 1, and sleeps; with the stock shim until SIGKILL, with crossarch until it is found out (46-crashed-init).
deaf() {
	if [ "$shim" = crossarch ] && [ "$arch" != "$native" ]; then
		sed 's/^ended with 143$/ended with 137/'
	else
		cat
	fi
}

talk_node() {
	entrypoint=(docker-entrypoint.sh)
	up
	listens
	http /
	http /digest
	asked node -e 'console.log(process.cwd(), process.env.NODE_ENV, process.getuid()); process.exit(7)'
	down
	said lines
	again
	listens
	down 0
	once -e 'console.log("one"); console.error("two"); process.exit(7)'
	once /no/such/script.js | tail -n 1
}

talk_java() {
	entrypoint=(java -jar /app/app.jar)
	up
	listens
	http /
	asked java -version
	down
	said lines
	again
	listens
	http /
	down 0
	port=none once
}

talk_nginx() {
	entrypoint=(/docker-entrypoint.sh)
	up
	listens
	http /hello
	http /large | cksum
	http /no-such-file
	asked nginx -t
	# whose the processes are; an emulated worker cannot rename itself, so its name is not looked at
	asked bash -c 'for p in /proc/[0-9]*; do
		[ $p = /proc/$$ ] || ! grep -q nginx $p/cmdline || stat -c %U $p
	done; exit 3' | sort
	down
	said nginx_log
	again
	listens
	http /hello
	down 0
	once nginx -t
}

# Processes write at the same time, and signals may become one.
nginx_log() {
	sed -E 's/[0-9]+#[0-9]+:( \*[0-9]+)?/PID:/; s/(process|from) [0-9]+/\1 PID/; /SIG(IO|CHLD)/d' | sort
}

talk_postgres() {
	entrypoint=(docker-entrypoint.sh)
	volume /var/lib/postgresql/data
	up
	database_ready
	sql 'SELECT count(*), sum(square) FROM squares' 'INSERT INTO starts DEFAULT VALUES RETURNING 1'
	sql 'SELECT * FROM no_such_table'
	asked setpriv --reuid=postgres --regid=postgres --init-groups pg_ctl status | sed -E 's/PID: [0-9]+/PID/'
	down
	said postgres_log
	again
	database_ready
	sql 'INSERT INTO starts DEFAULT VALUES' 'SELECT count(*) FROM starts'
	down 0
	again
	database_ready
	sql 'SELECT count(*) FROM starts'
	down
	once pg_isready -h 127.0.0.1 -p 1
}

# As a pod's probes ask it. While the entrypoint fills the database, its server has no port.
database_ready() { ready pg_isready -q -h 127.0.0.1 -U postgres; }

sql() {
	local commands=() command
	for command; do
		commands+=(-c "$command")
	done
	asked psql -h 127.0.0.1 -U postgres -At "${commands[@]}"
}

# Processes write at the same time. A probe that came while the server was starting left a line.
postgres_log() {
	sed -E 's/TIME \[[0-9]+\]/TIME [PID]/; s/PID [0-9]+/PID/; s/(checkpoint complete): .*/\1/
		/the database system is starting up/d; s/on (x86_64|aarch64)-[a-z-]*linux-gnu/on MACHINE/
		s/^waiting for server to (start|shut down)//; s/^\.+//; /^( done)?$/d' | sort
}
