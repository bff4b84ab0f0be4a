/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/err.h"
#include "shim/loop/child.h"

/*
 * The process that unmounts a container's root file system. It takes as long as the kernel does,
 * with a network file system minutes, and belongs to the task: when the deadline of a Delete
 * passes, it goes on, and the next Delete finds it still at work or done. There is never a second
 * one.
 */
struct task;

struct unmounter {
	struct child child;
	void (*done)(struct task *); /* who waits for it; NULL: nobody at the moment */
};

/* True while it runs. */
bool unmounter_runs(const struct task *t);

/* Starts it, or finds it; @done follows when it has ended and t->mounted says how. */
MUST_CHECK int unmounter_begin(struct task *t, void (*done)(struct task *), struct err *err);

/* From now on nobody waits for it; it goes on. */
void unmounter_leave(struct task *t);

/* For task_free(): it goes on and belongs to no task. */
void unmounter_forget(struct task *t);
