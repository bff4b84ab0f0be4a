/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/err.h"
#include "runtime/base/log.h"
#include "shim/loop/child.h"

/*
 * The process that unmounts a container's root file system. It takes as long as the kernel does,
 * with a network file system minutes, and belongs to the task: when the deadline of a Delete
 * passes, it goes on, and the next Delete finds it still at work or done. There is never a second
 * one.
 */
struct unmounter {
	struct child child;
	struct log_subject about;	  /* for the log */
	bool mounted;			  /* there is something to unmount, as far as is known */
	void (*done)(struct unmounter *); /* who waits for it; NULL: nobody at the moment */
};

/*
 * Starts it on the bundle's root file system, or finds it; @done follows when it has ended and
 * u->mounted says how.
 */
MUST_CHECK int unmounter_begin(struct unmounter *u, struct reaper *reaper, char *bundle,
			       void (*done)(struct unmounter *), struct err *err);

/* From now on nobody waits for it; it goes on. */
void unmounter_leave(struct unmounter *u);

/* The task is freed: it goes on and belongs to no task. */
void unmounter_forget(struct unmounter *u);
