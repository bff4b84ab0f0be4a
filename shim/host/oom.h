/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "shim/host/cgroup.h"
#include "shim/loop/loop.h"

/*
 * Tells when the kernel kills a process of a container for want of memory (shim-protocol 9.4): v1
 * through an eventfd registered with the memory controller, v2 through inotify on memory.events.
 */
struct oom {
	struct source source;
	int fd;			      /* eventfd or inotify; owned */
	int dir;		      /* the cgroup's memory directory; owned */
	uint64_t kills;		      /* v2: as last read */
	void (*on_oom)(struct oom *); /* may free the object */
};

#define OOM_INIT                    \
	{                           \
		.fd = -1, .dir = -1 \
	}

/*
 * Starts watching. Fails where the kernel offers nothing to watch; the object is then as OOM_INIT
 * and the caller may well go on without.
 */
MUST_CHECK int oom_watch(struct oom *oom, struct loop *loop, const struct cgroup *cg,
			 void (*on_oom)(struct oom *), struct err *err);

/*
 * Tells now what the kernel would have told us a little later: it holds notifications of v2 back
 * for 10 ms, in which an exit may be reported and the cgroup removed. Legal on what is not watched.
 */
void oom_check(struct oom *oom);

/* Idempotent; legal on OOM_INIT and on an all-zero struct that was never watched. */
void oom_deinit(struct oom *oom);
