/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "runtime/base/arena.h"
#include "runtime/containerd/rpc.h"

/* The states of containerd's api/types/task. */
enum task_state { TASK_UNKNOWN, TASK_CREATED, TASK_RUNNING, TASK_STOPPED, TASK_PAUSED };

/* What runs, or ran and was not deleted yet, for the container of the same id. */
struct task_entry {
	const char *id;
	uint32_t pid;
	uint32_t state;	      /* enum task_state, or one that is newer than this list */
	uint32_t exit_status; /* of one that is stopped */
	int64_t exited;	      /* seconds since 1970, 0: it did not */
};

/* All tasks of the namespace @rpc was opened with (tasks service); everything lives in @arena. */
MUST_CHECK int task_list(struct rpc *rpc, struct arena *arena, struct task_entry **ret,
			 size_t *ret_n, struct err *err);
