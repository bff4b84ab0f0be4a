/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/err.h"
#include "shim/loop/child.h"

/*
 * The process that unmounts a container's root file system. It takes as long as the kernel does, on
 * a network minutes, and belongs to the task: a Delete whose deadline passes leaves it to the next
 * one, which finds it at work or done. There is never a second one.
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

/* Nobody waits for it any more; it goes on. */
void unmounter_leave(struct task *t);

/* For task_free(): it goes on, and is nobody's. */
void unmounter_forget(struct task *t);
