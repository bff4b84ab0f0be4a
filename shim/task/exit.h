/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/task/task.h"

/*
 * What follows when a process ends (shim/README.md, Order). Its status is stored at once. TaskExit
 * and the answers to Wait follow when all that must come before them has happened: a start in
 * flight has published its event, the client has the output (stdio_handed()), and for init all
 * execs have ended.
 */

/* The on_exit callback of every container process. */
void process_on_exit(struct child *child, const struct exit_status *status);

/*
 * Begins to watch the process whose pid the engine wrote to @pid_file. It may already be a zombie,
 * which the reaper's hold has kept for us (child.h).
 */
MUST_CHECK int process_adopt(struct process *p, const char *pid_file, struct err *err);

/* Publishes the exit of @p if nothing stands in the way any more. Called whenever that may change.
 */
void process_settle(struct process *p);
