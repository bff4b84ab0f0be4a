/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/ttrpc/server.h"

/* One handler per RPC; the owner is a struct tasks. */
void task_create(void *owner, struct call *call);
void task_start(void *owner, struct call *call);
void task_state(void *owner, struct call *call);
void task_wait(void *owner, struct call *call);
void task_kill(void *owner, struct call *call);
void task_delete(void *owner, struct call *call);
void task_exec(void *owner, struct call *call);
void task_pids(void *owner, struct call *call);
void task_pause(void *owner, struct call *call);
void task_resume(void *owner, struct call *call);
void task_update(void *owner, struct call *call);
void task_stats(void *owner, struct call *call);
void task_checkpoint(void *owner, struct call *call);
void task_resize(void *owner, struct call *call);
void task_close_io(void *owner, struct call *call);
void task_connect(void *owner, struct call *call);
