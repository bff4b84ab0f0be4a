/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

#include "runtime/base/err.h"

/*
 * Somebody who takes back what the check of an image made, should the checker be killed: a process
 * of its own that waits for its end. It is told when nothing is left. Should it be killed as well,
 * containerd lets the lease expire, and with it what is under it.
 */
struct guard {
	pid_t pid;
	int fd; /* open as long as there is something to take back; -1: no guard */
};

#define GUARD_INIT        \
	{                 \
		.fd = -1, \
	}
#define CLEANUP_GUARD CLEANUP(guard_drop)

/* Forks, so before the first gRPC call. The strings have to live as long as this process. */
MUST_CHECK int guard_start(struct guard *g, const char *socket, const char *namespace,
			   const char *lease, struct err *err);

/* Nothing is left: lets it go. */
void guard_end(struct guard *g);

/* Something may be left: has it take that back, without waiting for it. */
void guard_drop(struct guard *g);
