/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "shim/host/tunnel_output.h"

/*
 * A stream of a process that goes through TTRPC instead of a FIFO (shim/README.md, Streams through
 * TTRPC): the client opens it by its id, the process that was created with this id has the other
 * end. Either may come first, and a client that leaves may come back; what the process writes
 * meanwhile stays in its pipe.
 *
 * Of output nothing is kept here. Of input at most TUNNEL_WINDOW bytes are, which the process has
 * not read.
 */
#define TUNNEL_ID_MAX 512

/* All of a shim, by their ids. */
struct tunnels {
	struct list all;
	const char *socket; /* where clients reach us, as addresses of streams name it; not owned */
};

void tunnels_init(struct tunnels *ts, const char *socket);

/* The method containerd.services.streaming.v1.Streaming/Stream: takes the call. */
void tunnels_stream(struct tunnels *ts, struct call *call);

/* True when @address is one of a stream, ours or somebody else's. */
bool tunnel_is(const char *address);

/*
 * The tunnel that @address names, which belongs to the caller until tunnel_free(). ERR_UNSUPPORTED
 * for a stream that is not ours, ERR_INVALID without an id, ERR_EXISTS when a process has it,
 * ERR_PRECONDITION when no client has opened it: nobody would read what is written.
 */
MUST_CHECK int tunnel_take(struct tunnels *ts, const char *address, void *owner,
			   struct tunnel **ret, struct err *err);

/*
 * Begins to read from @fd, or with @input to write to it. It is non-blocking, stays owned by the
 * caller and outlives the tunnel. Nothing happens when it has begun already.
 */
MUST_CHECK int tunnel_start(struct tunnel *t, struct loop *loop, int fd, bool input,
			    void (*on_change)(struct tunnel *), struct err *err);

/* CloseIO: `over` as soon as the client has sent everything and the process has it. */
void tunnel_close_input(struct tunnel *t);

/* Ends it on both sides, without a callback; the client reads end of file. NULL is fine. */
void tunnel_free(struct tunnel *t);
