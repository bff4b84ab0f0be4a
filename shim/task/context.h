/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <sys/resource.h>

#include "runtime/base/log.h"
#include "shim/loop/child.h"
#include "shim/loop/loop.h"

struct deferred;
struct events;
struct cgroup_mover;
struct tunnels;

/*
 * What everything below the service shares: what it runs on, and the settings of this shim. The
 * service owns all of it and outlives its tasks. Nothing in here knows what a task is.
 */
struct context {
	struct loop *loop;
	struct reaper *reaper;
	struct events *events;
	struct deferred *deferred;
	struct cgroup_mover *cgroup_mover;
	struct tunnels *tunnels;
	struct timer *looks;	   /* see crash_watch.h */
	struct timer *trim_memory; /* whoever ends an operation arms it anew with TRIM_AFTER_NS */
	/* Settings, not owned. */
	const char *ns, *grpc_address;
	const char *sandbox; /* the id that the shim was started for: of the pod, for the log */
	/* Bundle of the pod's sandbox (pod_record.h), "" where it need not know. */
	const char *home;
	/* Of a pod without a pause container (pod_files.h), else "". */
	const char *pod_files;
	bool host_ipc;			       /* which has the node's /dev/shm */
	const char *prepare_path, *cli_path;   /* cli_path "" when it is not installed */
	int prepare_fd, cli_fd;		       /* the same, open (paths.h); 0: by name */
	struct rlimit nofile;		       /* what the engine and its containers inherit */
	const char *config_path, *config_body; /* runtime options `start` received */
	bool debug;			       /* the log level is not to be lowered */
};

/* What a line in the log is about that is about none of the containers. */
static inline struct log_subject context_subject(const struct context *c)
{
	return (struct log_subject){ .namespace = c->ns, .sandbox = c->sandbox };
}

/* If no operation ends for as long as this, unused memory goes back to the kernel. */
#define TRIM_AFTER_NS S_TO_NS(1)
