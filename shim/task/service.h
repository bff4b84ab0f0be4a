/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/host/grace.h"
#include "shim/loop/child.h"
#include "shim/loop/loop.h"
#include "shim/task/deferred.h"
#include "shim/task/events.h"
#include "shim/task/task.h"
#include "shim/ttrpc/server.h"

/* What one shim serves: the Task API over its tasks. */
struct service {
	struct loop *loop;
	struct reaper reaper;
	struct server server;
	struct events events;
	struct list tasks;
	unsigned int n_tasks;
	unsigned int n_slotless; /* operations without a slot so far; numbers their log files */
	struct timer flush_bound;
	struct deferred deferred;
	struct timer lonely; /* runs until the first request came */
	struct grace grace;
	struct timer rest;  /* runs out when no operation has ended for a second */
	struct timer looks; /* see crash.h; armed while an emulated init runs */
	bool stopping, debug;
	/* Settings, not owned. */
	const char *ns, *grpc_address, *socket_path;
	const char *prepare_path, *cli_path;   /* cli_path "" when it is not installed */
	int prepare_fd, cli_fd;		       /* the same, open (paths.h); 0: by name */
	struct rlimit nofile;		       /* what the engine and its containers inherit */
	const char *config_path, *config_body; /* runtime options `start` received */
};

/*
 * Serves on the listening socket @fd_take until Shutdown, SIGTERM or a broken loop. The settings in
 * @s are filled by the caller; everything else is set here.
 */
MUST_CHECK int service_run(struct service *s, struct loop *loop, const char *events_address,
			   int fd_take, struct err *err);

/* Looks up a task that Create has finished; ERR_NOT_FOUND otherwise. */
MUST_CHECK int service_task(struct service *s, const char *id, struct task **ret, struct err *err);

/* As service_task(), then the exec @exec_id, or init when it is "". */
MUST_CHECK int service_process(struct service *s, const char *id, const char *exec_id,
			       struct process **ret, struct err *err);

/* An operation ended: if it stays the last one for a while, its memory goes back to the kernel. */
void service_rest_soon(struct service *s);

/* Ends the shim once the event queue is empty (bounded), if no task is left. */
void service_stop_if_idle(struct service *s);
