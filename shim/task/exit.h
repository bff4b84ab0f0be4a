/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/task/task.h"

/*
 * What follows when a process ends (architecture 5, shim-protocol 4.4): its status is stored at
 * once, TaskExit and the answers to Wait follow when everything that must come before them has
 * happened: a start in flight has published, the client has the output (stdio_handed()), and for
 * init all execs have ended.
 */

/* The on_exit callback of every container process. */
void process_on_exit(struct child *child, const struct exit_status *status);

/*
 * Begins to watch the process whose pid the engine wrote to @pid_file. It may be a zombie already:
 * the reaper's hold kept it (child.h).
 */
MUST_CHECK int process_adopt(struct process *p, const char *pid_file, struct err *err);

/* Publishes the exit of @p if nothing stands in the way any more. Called whenever that may change.
 */
void process_settle(struct process *p);
