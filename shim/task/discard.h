/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/task/task.h"

/*
 * The end of a task in our memory, whatever is left of it on the node: ends what is in flight,
 * answers the calls that are parked on it with NOT_FOUND, and frees it.
 */
void task_discard(struct task *t);
