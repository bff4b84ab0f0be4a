/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/loop/child.h"

/*
 * Whoever moves a process between cgroups is the writer of a lock that all of the kernel reads, and
 * the first writer after a pause waits for an RCU grace period (cgroup-v2.rst on favordynmods;
 * percpu-rw-semaphore.rst, which speaks of hundreds of milliseconds; measured: 5 to 15). The engine
 * is that writer for every container and every exec, some milliseconds after we know that it will
 * be. Which process is moved makes no difference to the wait, nor does who began it. So a process
 * of ours moves itself into the cgroup it is in already: that starts the wait at once, and when the
 * engine gets there, most or all of it is over.
 */

/* What /proc/PID/comm says then: not to be taken for the shim, whose command line it has. */
#define CGROUP_MOVER_NAME "crossarch-mover"

/* All zero: none is under way. */
struct cgroup_mover {
	struct child mover;
};

/*
 * An engine will soon move a process between cgroups, and the kernel makes the first to do so wait:
 * starts that wait now, so that it is over when the engine gets there.
 */
void cgroup_mover_expect(struct cgroup_mover *g, struct reaper *reaper);

/* The mover is ended: it would be done in a moment, but whoever sees us go may look for it. */
void cgroup_mover_end(struct cgroup_mover *g);

/*
 * What the mover does: moves the calling process into the cgroup it is in; returns when the kernel
 * has done that. For a forked process: system calls only. Always 0: without it the engine waits as
 * it would have.
 */
int cgroup_mover_run(void *unused);
