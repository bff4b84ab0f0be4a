/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/err.h"

/*
 * Gives this process group a core scheduling cookie of its own (core-scheduling.rst), which what it
 * starts inherits. containerd asks for it with SCHED_CORE in the environment of `start`.
 * ERR_UNSUPPORTED on kernels and processors without it.
 */
MUST_CHECK int sched_core_create(struct err *err);

/*
 * Raises this process's oom_score_adj by one, to at most 1000, as containerd's own shim does: a
 * child starts with containerd's score (proc_pid_oom_score_adj(5)), and the kernel is to kill a
 * shim before containerd. EPERM and EACCES count as success: some hosts do not let us.
 */
MUST_CHECK int sched_oom_raise(struct err *err);
