/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/task/platform_check.h"

/*
 * The step between an answer of prepare that says REPORT_PRIVATE and the start of the program:
 * crossarch-prepare registers the emulator in the user namespace of the container's init.
 */
struct private_step {
	struct report *report; /* with what there is to do; owned, NULL when there is nothing */
};

void private_step_deinit(struct private_step *s);

/* Keeps @r_take if it asks for the step, frees it otherwise. */
void private_step_take(struct private_step *s, struct report *r_take);

/* Starts the step; @done follows on the operation, and ends it with private_step_done(). */
MUST_CHECK int private_step_start(struct private_step *s, struct platform_check *c,
				  struct operation *op, void (*done)(struct operation *),
				  struct err *err);

/* What came of it; a refusal is ERR_PRECONDITION with the diagnosis line. */
MUST_CHECK int private_step_done(struct private_step *s, struct platform_check *c,
				 struct operation *op, struct err *err);
