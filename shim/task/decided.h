/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/prepare/report.h"
#include "shim/task/task.h"

/*
 * What prepare says of a container before it looks at its image is taken once, here, and stays:
 * which engine is run, with which state directory, on which cgroup, and the file that takes the
 * container's last words. Its answers afterwards have no part in that.
 */

/*
 * Takes it over into the task, and the descriptor *@termination (-1: none). ERR_PRECONDITION with
 * the line for a person when the engine is not one that only root can change, outside the
 * container's own files.
 */
MUST_CHECK int decided_take(struct task *t, const struct decided *d, int *termination,
			    struct err *err);
