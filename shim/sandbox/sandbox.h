/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/arena.h"
#include "shim/sandbox/holder.h"
#include "shim/task/context.h"
#include "shim/ttrpc/server.h"

/*
 * A pod without a pause container: containerd.runtime.sandbox.v1.Sandbox, of a handler with
 * sandboxer = "shim" (docs/sandbox-api.md). One shim has one sandbox at most.
 */
enum sandbox_state {
	SANDBOX_NONE,
	SANDBOX_CREATED,
	SANDBOX_STARTING,
	SANDBOX_READY,
	SANDBOX_NOTREADY,
	SANDBOX_SHUT, /* and there is no other one in this shim */
};

struct sandbox {
	enum sandbox_state state;
	struct context *context; /* its pod_files are said here */
	struct arena arena;	 /* of its names */
	struct arena wish;	 /* of what it is made by, until it has started */
	const char *id, *bundle, *net, *files;
	const char *cgroup; /* path from the hierarchies' roots, "" without one of its own */
	struct pod_config config;
	struct holder holder;
	struct call *starting; /* StartSandbox, not answered yet */
	struct list waiters;   /* WaitSandbox */
	struct list stopping;  /* StopSandbox */
	struct timespec created_at;
	struct exit_status exit;
	/* ShutdownSandbox came: the shim may go. */
	void (*on_shutdown)(struct sandbox *s);
};

void sandbox_init(struct sandbox *s, struct context *context,
		  void (*on_shutdown)(struct sandbox *s));
void sandbox_deinit(struct sandbox *s);

/* True while there is one that the shim has to stay for. */
bool sandbox_lives(const struct sandbox *s);

/* True after ShutdownSandbox: the shim goes with the last container. */
bool sandbox_is_shut(const struct sandbox *s);

/* One handler per RPC. */
void sandbox_create(struct sandbox *s, struct call *call);
void sandbox_start(struct sandbox *s, struct call *call);
void sandbox_platform(struct sandbox *s, struct call *call);
void sandbox_stop(struct sandbox *s, struct call *call);
void sandbox_wait(struct sandbox *s, struct call *call);
void sandbox_status(struct sandbox *s, struct call *call);
void sandbox_ping(struct sandbox *s, struct call *call);
void sandbox_shutdown(struct sandbox *s, struct call *call);
void sandbox_metrics(struct sandbox *s, struct call *call);
