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

/* Idempotent; legal on OOM_INIT and on an all-zero struct that was never watched. */
void oom_deinit(struct oom *oom);
