/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <limits.h>
#include <sys/types.h>

#include "runtime/base/err.h"
#include "runtime/base/mem.h"

/* A temporary directory, only ours, that is removed with all that is in it. */
struct scratch_tree {
	char path[PATH_MAX]; /* "" without one */
	int fd;
};

#define SCRATCH_TREE_INIT \
	{                 \
		.fd = -1, \
	}
#define CLEANUP_SCRATCH_TREE CLEANUP(scratch_tree_remove)

MUST_CHECK int scratch_tree_make(struct scratch_tree *t, struct err *err);

/* However deep it is, and whatever names and links are in it. */
void scratch_tree_remove(struct scratch_tree *t);

/* Removes those of the process @pid, which is gone. */
void scratch_tree_sweep(pid_t pid);
