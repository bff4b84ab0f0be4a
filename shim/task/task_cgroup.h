/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/base/buf.h"
#include "shim/task/task.h"

/* What the node's kernel knows about a container: its cgroup and the OOM watch on it. */

/* After Create: finds the cgroup and begins to watch for OOM kills. Failures are logged only. */
void task_cgroup_open(struct task *t);
void task_cgroup_close(struct task *t);

/*
 * A process ended. If the kernel killed one for want of memory, that is published before the exit;
 * and the last statistics are kept, because the cgroup may be gone afterwards.
 */
void task_cgroup_process_exited(struct task *t);

/*
 * The pids of the container, to be freed by the caller. Never fails and is never empty while init
 * lives: containerd, after a restart of its own, takes either for a leaked shim and kills the
 * container (core/runtime/v2/shim_load.go).
 */
void task_cgroup_pids(const struct task *t, pid_t **ret, size_t *ret_n);

/*
 * Packed cgroup metrics and their type, also of a container that has ended and is not deleted yet;
 * ERR_NOT_FOUND without a cgroup.
 */
MUST_CHECK int task_cgroup_stats(const struct task *t, struct buf *ret, const char **ret_type,
				 struct err *err);
