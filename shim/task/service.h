/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/host/grace.h"
#include "shim/loop/child.h"
#include "shim/loop/loop.h"
#include "shim/task/context.h"
#include "shim/task/deferred.h"
#include "shim/task/events.h"
#include "shim/task/task.h"
#include "shim/ttrpc/server.h"

/* What one shim serves: the Task API over its tasks. */
struct service {
	struct context context; /* what it points to is below, the loop aside */
	struct reaper reaper;
	struct server server;
	struct events events;
	struct list tasks;
	unsigned int n_tasks;
	struct timer flush_bound;
	struct deferred deferred;
	struct timer lonely; /* runs until the first request came */
	struct grace grace;
	struct timer rest;  /* runs out when no operation has ended for a second */
	struct timer looks; /* see crash.h; armed while an emulated init runs */
	bool stopping;
	const char *socket_path; /* not owned */
};

/*
 * Serves on the listening socket @fd_take until Shutdown, SIGTERM or a broken loop. The socket's
 * path and the settings in s->context are filled by the caller; everything else is set here.
 */
MUST_CHECK int service_run(struct service *s, struct loop *loop, const char *events_address,
			   int fd_take, struct err *err);

/* Looks up a task that Create has finished; ERR_NOT_FOUND otherwise. */
MUST_CHECK int service_task(struct service *s, const char *id, struct task **ret, struct err *err);

/* As service_task(), then the exec @exec_id, or init when it is "". */
MUST_CHECK int service_process(struct service *s, const char *id, const char *exec_id,
			       struct process **ret, struct err *err);

/* Ends the shim once the event queue is empty (bounded), if no task is left. */
void service_stop_if_idle(struct service *s);
