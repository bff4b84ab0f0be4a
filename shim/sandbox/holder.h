/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/arena.h"
#include "shim/loop/child.h"
#include "shim/sandbox/pod_config.h"

/*
 * The process that holds a pod's namespaces: crossarch-pause, or what that starts as the first
 * process of a PID namespace (runtime/pause/main.c). It is our child, and ends with us.
 */
struct holder {
	struct child starter; /* crossarch-pause */
	struct child first;   /* of the PID namespace, if there is one */
	struct source readable;
	int answer_fd; /* -1: none */
	char answer[256];
	size_t n;
	struct timer bound;
	struct reaper *reaper;
	bool held; /* a hold on the reaper */
	pid_t pid; /* who holds the namespaces, 0: nobody */
	/* Once after holder_start(): it holds them, or @why not. */
	void (*started)(struct holder *h, const struct err *why);
	void (*ended)(struct holder *h, const struct exit_status *status);
};

void holder_init(struct holder *h);

/* Stops watching. A holder that lives ends with us. */
void holder_deinit(struct holder *h);

/*
 * Starts it, with the program crossarch-pause of the directory @dir; @net is the network namespace
 * of a pod that has one, or "". @arena is for the arguments. h->started follows, within
 * HOLDER_BOUND_NS.
 */
#define HOLDER_BOUND_NS S_TO_NS(10)
MUST_CHECK int holder_start(struct holder *h, struct reaper *r, const char *dir, const char *net,
			    const struct pod_config *c, struct arena *arena, struct err *err);

/* Ends it; h->ended follows. */
void holder_kill(const struct holder *h);

/* Ends it, also one that has just been started, and tells nobody. */
void holder_end(struct holder *h);
