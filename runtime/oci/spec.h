/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/arena.h"
#include "runtime/base/err.h"
#include "runtime/oci/json.h"
#include "runtime/oci/spec_hooks.h"

/*
 * The parts of an OCI bundle's config.json that decide what will run. Strings live in the document,
 * arrays in the arena. Absent members are "" or empty.
 */
struct spec_process {
	const char *const *args; /* NULL-terminated; may be empty */
	const char *const *env;
	const char *cwd; /* "/" by default */
	bool no_new_privileges, terminal;
};

struct spec_mount {
	const char *destination, *type, *source;
	const char *const *options;
};

struct spec {
	json *document; /* not owned */
	struct spec_process process;
	const char *root; /* root.path, "rootfs" by default */
	struct spec_mount *mounts;
	size_t n_mounts;
	const char *cgroups_path;
	struct spec_hooks hooks;
	bool private_pid;      /* creates a pid namespace */
	bool private_user;     /* has a user namespace entry */
	bool host_pid;	       /* has no pid namespace entry */
	bool privileged;       /* may load modules and touch the hardware */
	const char *user_path; /* the user namespace it joins, NULL without */
	uint64_t memory_max;   /* bytes, 0 without a limit */
	json *seccomp;	       /* linux.seccomp, NULL without */
};

/* Reads what is there; ERR_INVALID where a member that is looked at has a wrong type. */
MUST_CHECK int spec_read(json *document, struct arena *arena, struct spec *ret, struct err *err);

/* Reads a process object (config.json's "process", or that of an exec). */
MUST_CHECK int spec_process_read(json *process, struct arena *arena, struct spec_process *ret,
				 struct err *err);

/* The annotation @key, or NULL. */
const char *spec_annotation(const struct spec *s, const char *key);

/*
 * The id of the pod's sandbox, NULL outside of pods, and whether this is the sandbox's own
 * container: by what containerd's CRI (internal/cri/annotations) or CRI-O (pkg/annotations) wrote.
 */
const char *spec_sandbox(const struct spec *s);
bool spec_is_sandbox(const struct spec *s);

/* The value of variable @name in @env, or NULL. The last one counts, as in the engines. */
const char *spec_env(const struct spec_process *p, const char *name);
