/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct tunnels;

/* The two sides of a process' streams: what containerd names, and what the engine gets of it. */
struct stdio_spec {
	const char *id, *ns;	    /* container id and namespace, for a logging driver */
	const char *in, *out, *err; /* paths or URIs as containerd sent them; "" means /dev/null */
	struct tunnels *tunnels;    /* for addresses of streams; outlives the process */
	bool terminal;
	const char *dir;     /* the engine's working directory; outlives the streams */
	const char *console; /* the name that the console socket gets in it */
	uid_t io_uid;	     /* owner of the pipes handed to the engine */
	gid_t io_gid;
};

struct engine_ends {
	int fds[3];		 /* descriptors 0, 1, 2 for the engine; -1 means /dev/null; owned */
	char console_socket[96]; /* its name in the directory; "" without a terminal */
};
