/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/base/arena.h"
#include "runtime/base/err.h"

/*
 * Command lines of an OCI engine, such as containerd's own shim gives to runc (github.com/
 * containerd/go-runc). runc and crun take the same ones. This file is pure: it makes argv, nothing
 * is run here.
 */
enum engine_verb {
	ENGINE_CREATE,
	ENGINE_START,
	ENGINE_EXEC,
	ENGINE_KILL,	 /* to one process: init */
	ENGINE_KILL_ALL, /* to every process of the container */
	ENGINE_DELETE,	 /* with --force: also when nothing is left, or it still runs */
	ENGINE_PAUSE,
	ENGINE_RESUME,
	ENGINE_UPDATE, /* resources on standard input */
	ENGINE_CHECKPOINT,
	ENGINE_RESTORE,
	ENGINE_FEATURES,
	ENGINE_VERB_N,
};

/* What is the same for every run on one container. Strings are not owned. */
struct engine {
	const char *path; /* absolute */
	const char *root; /* --root */
	bool systemd_cgroup;
};

/* What one run needs besides; unused members stay zero. */
struct engine_request {
	enum engine_verb verb;
	const char *id;
	const char *log;      /* --log, JSON lines */
	const char *bundle;   /* create, restore */
	const char *pid_file; /* create, exec, restore */
	const char *console;  /* --console-socket, NULL without a terminal */
	const char *process;  /* exec: file with the OCI process */
	unsigned int signal;  /* kill */
	bool no_pivot;	      /* create, restore */
	bool no_new_keyring;  /* create; a restored container has the session that it had */
	const char *image_path, *work_path; /* checkpoint, restore */
	const char *parent_path;	    /* checkpoint: of an earlier one to build on */
	bool leave_running, open_tcp, external_unix, shell_job,
		file_locks;	       /* checkpoint, restore */
	const char *manage_cgroups;    /* checkpoint, restore: "" engine's default */
	char *const *empty_namespaces; /* checkpoint, restore */
	size_t n_empty_namespaces;
};

#define ENGINE_ARGV_MAX 48
struct argv {
	const char *v[ENGINE_ARGV_MAX]; /* NULL-terminated */
	size_t n;
	bool overflow;
};

/*
 * Fills @ret; formatted words live in @arena, the others point into the arguments. ERR_LIMIT when a
 * request has more words than fit, ERR_NOMEM.
 */
MUST_CHECK int engine_argv(const struct engine *e, const struct engine_request *r,
			   struct arena *arena, struct argv *ret, struct err *err);

/* The word of the verb as the Go shim's error texts use it ("create", "exec", ...). */
const char *engine_verb_name(enum engine_verb verb);
