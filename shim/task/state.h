/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/err.h"

/* The life of one process, init or exec, and what may be done to it when. */
enum process_state {
	PROCESS_CREATING, /* init only: Create has not answered yet */
	PROCESS_CREATED,
	PROCESS_RUNNING,
	PROCESS_PAUSED, /* init only */
	PROCESS_STOPPED,
	PROCESS_STATE_N,
};

enum process_op {
	OP_START,
	OP_KILL,
	OP_KILL_ALL,
	OP_DELETE,
	OP_EXEC, /* adding an exec to the container */
	OP_PAUSE,
	OP_RESUME,
	OP_UPDATE,
	OP_CHECKPOINT,
	OP_RESIZE,
	OP_N,
};

/* ERR_PRECONDITION "cannot VERB a STATE process" when the operation is not allowed. */
MUST_CHECK int state_check(enum process_state state, enum process_op op, struct err *err);

/* As people write it: "half-created", "created", ... */
const char *state_name(enum process_state state);

/* The number of the state in containerd.v1.types.Status (containerd's api/types/task/task.proto).
 */
unsigned int state_wire(enum process_state state);
