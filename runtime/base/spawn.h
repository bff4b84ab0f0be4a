/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "runtime/base/err.h"

/*
 * Starting another program. The child has exactly the descriptors of the map (all others are
 * close-on-exec by our rule), a process group of its own if asked, default signal dispositions and
 * an empty signal mask, so nothing of ours leaks into it.
 */
struct spawn_fd {
	int from; /* ours; -1 means /dev/null */
	int to;	  /* the number in the child */
};

struct spawn {
	const char *path;  /* absolute, or a name looked up in PATH */
	int program_fd;	   /* executed instead of @path, whatever is there by now; 0: none */
	char *const *argv; /* NULL-terminated */
	char *const *envp; /* NULL-terminated; NULL passes our own environment */
	const char *cwd;   /* NULL keeps ours */
	const struct spawn_fd *fds;
	size_t n_fds;
	bool new_group;		     /* setpgid(0, 0) */
	bool new_session;	     /* setsid() */
	const struct rlimit *nofile; /* RLIMIT_NOFILE of the child; NULL keeps ours */
	bool die_with_parent;	     /* PR_SET_PDEATHSIG SIGKILL */
};

/*
 * Starts the program; descriptors 0, 1 and 2 are /dev/null unless the map names them. A failure in
 * the child up to and including execve (missing program, no permission) is reported here with its
 * errno, not by an exit status. ERR_NOT_FOUND when the program does not exist.
 */
MUST_CHECK int spawn(const struct spawn *s, pid_t *ret_pid, struct err *err);
