/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/task/task.h"

/*
 * A process that started and then ended in a way that a wrong architecture can cause (a child that
 * could not be executed, an illegal instruction, a system call the profile kills for):
 * crossarch-prepare looks once more, and where the facts on disk and the exit status support it
 * writes the line into the pod's termination message. The exit is told only after that, so that
 * nobody reads the message before it is there; bounded to half a second.
 */

/*
 * Starts this for a process that has just exited; p->late_check is true while it runs, and @done is
 * called when it has ended.
 */
void late_check_start(struct process *p, void (*done)(struct process *));
