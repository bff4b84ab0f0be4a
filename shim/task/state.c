/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/state.h"

#include <assert.h>
#include <stdint.h>

#define OP(op) (1u << (op))

/* A row or bit that nobody wrote forbids. */
static const uint16_t allows[PROCESS_STATE_N] = {
	[PROCESS_CREATED] = OP(OP_START) | OP(OP_KILL) | OP(OP_KILL_ALL) | OP(OP_DELETE) |
			    OP(OP_EXEC) | OP(OP_UPDATE) | OP(OP_RESIZE),
	[PROCESS_RUNNING] = OP(OP_KILL) | OP(OP_KILL_ALL) | OP(OP_EXEC) | OP(OP_PAUSE) |
			    OP(OP_UPDATE) | OP(OP_CHECKPOINT) | OP(OP_RESIZE),
	[PROCESS_PAUSED] = OP(OP_KILL) | OP(OP_KILL_ALL) | OP(OP_RESUME) | OP(OP_UPDATE) |
			   OP(OP_CHECKPOINT) | OP(OP_RESIZE),
	[PROCESS_STOPPED] = OP(OP_KILL_ALL) | OP(OP_DELETE),
};
static_assert(OP_N <= 16, "allows holds one bit per operation");

static const char *const op_names[OP_N] = {
	[OP_START] = "start a",	  [OP_KILL] = "kill a",	    [OP_KILL_ALL] = "kill a",
	[OP_DELETE] = "delete a", [OP_EXEC] = "exec in a",  [OP_PAUSE] = "pause a",
	[OP_RESUME] = "resume a", [OP_UPDATE] = "update a", [OP_CHECKPOINT] = "checkpoint a",
	[OP_RESIZE] = "resize a",
};

static const char *const state_names[PROCESS_STATE_N] = {
	[PROCESS_CREATING] = "half-created", [PROCESS_CREATED] = "created",
	[PROCESS_RUNNING] = "running",	     [PROCESS_PAUSED] = "paused",
	[PROCESS_STOPPED] = "stopped",
};

int state_check(enum process_state state, enum process_op op, struct err *err)
{
	if (allows[state] & OP(op))
		return 0;
	return err_set(err, ERR_PRECONDITION, "cannot %s %s process", op_names[op],
		       state_names[state]);
}

const char *state_name(enum process_state state)
{
	return state_names[state];
}

unsigned int state_wire(enum process_state state)
{
	static const uint8_t wire[PROCESS_STATE_N] = {
		[PROCESS_CREATING] = 0, [PROCESS_CREATED] = 1, [PROCESS_RUNNING] = 2,
		[PROCESS_STOPPED] = 3,	[PROCESS_PAUSED] = 4,
	};

	return wire[state];
}
