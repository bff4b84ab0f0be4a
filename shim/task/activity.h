/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/task/events.h"
#include "shim/task/tasks.h"

/*
 * What the shim is busy with, a line each in containerd's log: containers, execs, and for
 * everything in flight the processes that are waited for. For an operator whose pod hangs: SIGUSR1
 * asks for it, the signal on which the stock shim prints the stacks of its goroutines
 * (containerd's pkg/shim/shim.go).
 */
void activity_log(const struct tasks *ts, const struct events *e);
