/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/task/task.h"

/* Start of a task whose Create named a checkpoint: the engine restores it. Takes the call. */
void restore_start(struct task *t, struct call *call);
