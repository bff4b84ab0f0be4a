/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/task/task.h"

/* The containers of one shim; what every method is called with. */
struct tasks {
	const struct context *context;
	struct list list; /* the newest first: most calls are about it, and there may be hundreds */
	bool closed;	  /* the shim is about to end and takes no more of them */
	/* A Create whose client has left is undone: that client's Shutdown came too early. */
	void (*on_deserted)(struct tasks *);
};

/* @context is filled by the time the first task is added. */
void tasks_init(struct tasks *ts, const struct context *context,
		void (*on_deserted)(struct tasks *));

/* How many there are. */
unsigned int tasks_count(const struct tasks *ts);

/* Whether a container @id may be added: else ERR_EXISTS, ERR_LIMIT or ERR_PRECONDITION. */
MUST_CHECK int tasks_check_new(const struct tasks *ts, const char *id, struct err *err);

/* Adds @t. When @t is freed it takes itself out. */
void tasks_add(struct tasks *ts, struct task *t);

/* Looks up a task that Create has finished; ERR_NOT_FOUND otherwise. */
MUST_CHECK int tasks_find(const struct tasks *ts, const char *id, struct task **ret,
			  struct err *err);

/* As tasks_find(), then the exec @exec_id, or init when it is "". */
MUST_CHECK int tasks_find_process(const struct tasks *ts, const char *id, const char *exec_id,
				  struct process **ret, struct err *err);
