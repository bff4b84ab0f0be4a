/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

#include "runtime/base/err.h"
#include "runtime/base/mem.h"

/*
 * A process that removes what looking into images made, in case we are killed while we look: it
 * waits for our end. It is told when nothing is left to remove. If it is killed as well, the lease
 * expires, and containerd removes what belongs to the lease.
 */
struct guard {
	pid_t pid;
	int fd; /* open as long as there is something to remove; -1: no guard */
};

#define GUARD_INIT        \
	{                 \
		.fd = -1, \
	}
#define CLEANUP_GUARD CLEANUP(guard_drop)

/* What it would remove beside temporary bundles and trees. */
struct guarded {
	const char *socket;    /* of containerd */
	const char *namespace; /* NULL: there may be such a lease in each one */
	const char *lease;     /* NULL: nothing is made in containerd */
};

/*
 * Forks, so before the first gRPC call. The strings have to live as long as this process.
 */
MUST_CHECK int guard_start(struct guard *g, const struct guarded *what, struct err *err);

/* Nothing is left to remove: ends the guard. */
void guard_end(struct guard *g);

/* Something may be left: the guard removes it. Does not wait for that. */
void guard_drop(struct guard *g);
