/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "shim/host/cgroup.h"
#include "shim/loop/loop.h"

/*
 * Tells when the kernel kills a process of a container for want of memory: v1 through an eventfd
 * registered with the memory controller (cgroup-v1/memory.rst, "OOM Control"), v2 through inotify
 * on memory.events (cgroup-v2.rst). CRI makes the reason OOMKilled of it.
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
 * Starts watching. Fails where the kernel offers nothing to watch; the object is then as OOM_INIT,
 * and the caller can go on without it.
 */
MUST_CHECK int oom_watch(struct oom *oom, struct loop *loop, const struct cgroup *cg,
			 void (*on_oom)(struct oom *), struct err *err);

/*
 * Looks now instead of waiting for the kernel's notification: with v2 that may be held back for
 * 10 ms, in which the exit is reported and the cgroup removed. Legal on what is not watched.
 */
void oom_check(struct oom *oom);

/* Idempotent; legal on OOM_INIT and on an all-zero struct that was never watched. */
void oom_deinit(struct oom *oom);
