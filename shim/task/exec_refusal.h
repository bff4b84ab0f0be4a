/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/task/task.h"

/*
 * An exec that the check refuses is an exec that failed: it starts, says why on its standard error
 * and exits with 126, which is what shells answer for a program that cannot be executed. An error
 * of the call would be something else: a kubelet takes that for "unknown", so that a liveness or
 * startup probe would never fail and nothing would ever be restarted (pkg/kubelet/prober), and puts
 * the exec's id into the text, so that events never merge.
 */
#define EXEC_REFUSAL_STATUS 126

/*
 * Makes a process for the exec @p: one of ours, outside of the container, that prints @line and
 * nothing else. No engine may run for @p any more, and its streams have to be ready.
 */
MUST_CHECK int exec_refusal_run(struct process *p, const char *line, struct err *err);
