/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/err.h"

/*
 * Gives this process group a core scheduling cookie of its own, inherited by what it starts
 * (SCHED_CORE in the environment of `start`, shim-protocol 1.4). ERR_UNSUPPORTED on kernels and
 * processors without it.
 */
MUST_CHECK int sched_core_create(struct err *err);

/*
 * Raises this process's oom_score_adj by one, to at most 1000 (shim-protocol 1.13: the shim goes
 * before containerd, whose score a child of its has until it changes it:
 * proc_pid_oom_score_adj(5)). A host that does not let us is fine: EPERM and EACCES count as done.
 */
MUST_CHECK int sched_oom_raise(struct err *err);
