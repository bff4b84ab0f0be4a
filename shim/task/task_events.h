/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/task/task.h"

/* The events of a task, each queued in one call (shim/README.md, Events). */
void publish_create(const struct task *t, const Crossarch__CreateTaskRequest *request);
void publish_start(const struct process *p); /* TaskStart for init, TaskExecStarted for an exec */
void publish_exit(const struct process *p);
void publish_delete(const struct task *t);
void publish_exec_added(const struct process *p);
void publish_paused(const struct task *t);
void publish_resumed(const struct task *t);
void publish_oom(const struct task *t);
void publish_checkpointed(const struct task *t, const char *path);

/* Fills a protobuf timestamp. */
void timestamp_set(Crossarch__Timestamp *ts, const struct timespec *at);
