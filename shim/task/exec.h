/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/task/task.h"

/* Starts a registered exec: the check of its program, stdio, the engine. Takes the call. */
void exec_start(struct process *p, struct call *call);
