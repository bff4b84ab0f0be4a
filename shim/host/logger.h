/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "shim/loop/child.h"

/*
 * A logging driver (containerd's docs/runtime-v2.md, "Logging"): a program named by a
 * binary:// or binary-v2:// URI that reads the container's output on descriptors 3 and 4 and says
 * on descriptor 5 that it is ready. It is to end by itself at end of file; logger_deinit() ends one
 * that does not.
 */
struct logger {
	struct child child;
	struct source ready;
	struct timer bound;
	int ready_fd; /* -1 once the handshake is over; owned */
	bool strict;  /* binary-v2: ready is a byte, a mere end of file is a failure */
	bool running;
	bool is_ready; /* the handshake succeeded */
	/* It is ready (@failed NULL), or was not within 10 s. Called once; may free the logger. */
	void (*on_ready)(struct logger *, const struct err *failed);
	/* It ended. Called once; may free the logger. */
	void (*on_exit)(struct logger *);
};

struct logger_spec {
	const char *uri, *id, *ns;
	int out, err; /* read ends of the container's output; stay the caller's */
	void (*on_ready)(struct logger *, const struct err *failed);
	void (*on_exit)(struct logger *);
};

/* Starts the driver. Its environment is CONTAINER_ID and CONTAINER_NAMESPACE and nothing else. */
MUST_CHECK int logger_start(struct logger *l, struct reaper *reaper, const struct logger_spec *spec,
			    struct err *err);

/*
 * Ends the driver if it still runs: SIGTERM now, SIGKILL 12 s later. Does not wait for that.
 * Idempotent; legal on an all-zero struct whose ready_fd is -1.
 */
void logger_deinit(struct logger *l);
