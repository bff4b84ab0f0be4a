/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <sys/resource.h>

#include "shim/loop/child.h"
#include "shim/loop/loop.h"

struct deferred;
struct events;
struct grace;

/*
 * What tasks, operations and whatever else is below the service have in common: what they run on
 * and the settings of this shim. Nothing in here is theirs, and none of it knows of a task.
 */
struct context {
	struct loop *loop;
	struct reaper *reaper;
	struct events *events;
	struct deferred *deferred;
	struct grace *grace;
	struct timer *rest; /* to be armed with REST_NS whenever an operation has ended */
	/* Settings, not owned. */
	const char *ns, *grpc_address;
	const char *prepare_path, *cli_path;   /* cli_path "" when it is not installed */
	int prepare_fd, cli_fd;		       /* the same, open (paths.h); 0: by name */
	struct rlimit nofile;		       /* what the engine and its containers inherit */
	const char *config_path, *config_body; /* runtime options `start` received */
	bool debug;			       /* the log level is not to be lowered */
};

/* Nothing is in flight any more when no operation has ended for as long as this. */
#define REST_NS S_TO_NS(1)
