/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/prepare/report.h"
#include "shim/task/task.h"

/*
 * What prepare says of a container before it looks at the image is taken once, here, and does not
 * change any more: which engine is run, with which state directory, on which cgroup, and the file
 * for the termination message. Nothing that prepare says later can change it.
 */

/*
 * Copies @d into the task and takes over the descriptor *@termination (-1: none). ERR_PRECONDITION,
 * with the line for a person, unless the engine is a file that only root can change and that lies
 * outside the container's own files.
 */
MUST_CHECK int decided_take(struct task *t, const struct decided *d, int *termination,
			    struct err *err);
