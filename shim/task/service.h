/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/host/cgroup_mover.h"
#include "shim/host/tunnel.h"
#include "shim/loop/child.h"
#include "shim/loop/loop.h"
#include "shim/sandbox/sandbox.h"
#include "shim/task/context.h"
#include "shim/task/crash_watch.h"
#include "shim/task/deferred.h"
#include "shim/task/events.h"
#include "shim/task/tasks.h"
#include "shim/ttrpc/server.h"

/* What one shim serves: the Task API over its tasks, the Sandbox API over a sandbox. */
struct service {
	struct context context; /* what it points to is below, the loop aside */
	struct server server;
	struct tasks tasks; /* every method's owner */
	struct sandbox sandbox;
	struct reaper reaper;
	struct events events;
	struct deferred deferred;
	struct cgroup_mover cgroup_mover;
	struct tunnels tunnels;
	struct crash_looks looks;
	struct timer trim_memory;    /* fires when no operation has ended for a second */
	struct timer no_request_yet; /* armed until the first request has come */
	struct timer flush_bound;
	bool lingers;		 /* it is to end when its clients are gone */
	const char *socket_path; /* not owned */
};

/*
 * Serves on the listening socket @fd_take until Shutdown, SIGTERM or a broken loop. The socket's
 * path and the settings in s->context are filled by the caller; everything else is set here.
 */
MUST_CHECK int service_run(struct service *s, struct loop *loop, const char *events_address,
			   int fd_take, struct err *err);
