/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "shim/task/platform_check.h"
#include "shim/task/platform_choice.h"
#include "shim/task/private_step.h"
#include "shim/task/tasks.h"

/* A Create on its way (create.c): the data of its operation. */
struct creation {
	struct tasks *tasks;
	struct platform_choice choice;
	struct platform_check check;
	struct private_step private;
	int request;	      /* for prepare (request_memfd()); owned, -1: handed on */
	bool reported;	      /* prepare's first report was taken */
	bool checked;	      /* it said: go on */
	bool confirmed;	      /* there is no other to come */
	bool made;	      /* the engine is done */
	bool engine_ran;      /* or it was at least begun */
	char platform[32];    /* as the report has it */
	struct err io_failed; /* stdio could not be opened; code ERR_NONE when it could */
	struct err why;	      /* what creation_undo() will answer */
};

/*
 * For operation.undo: stops and takes back whatever was begun, with a bound of ten seconds, then
 * answers the call with @why and discards the task.
 */
void creation_undo(struct operation *op, const struct err *why);
