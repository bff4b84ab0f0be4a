/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/buf.h"
#include "shim/loop/loop.h"
#include "shim/ttrpc/server.h"

/*
 * A stream of a process that goes through TTRPC instead of a FIFO (shim/README.md, Streams through
 * TTRPC): the client opens it by its id, the process that was created with this id has the other
 * end. Either may come first, and a client that leaves may come back; what the process writes
 * meanwhile stays in its pipe.
 *
 * Of output nothing is kept here. Of input at most TUNNEL_WINDOW bytes are, which the process has
 * not read.
 */
#define TUNNEL_WINDOW (32u << 10)
#define TUNNEL_ID_MAX 512

/* All of a shim, by their ids. */
struct tunnels {
	struct list all;
	const char *socket; /* where clients reach us, as addresses of streams name it; not owned */
};

void tunnels_init(struct tunnels *ts, const char *socket);

/* The method containerd.services.streaming.v1.Streaming/Stream: takes the call. */
void tunnels_stream(struct tunnels *ts, struct call *call);

struct tunnel {
	struct list in_all;
	char *id;
	struct call *call; /* the client's; NULL while it is away */
	void *owner;	   /* the process' side; NULL: none yet */
	struct source pipe;
	struct timer again; /* armed: not before it fires (no memory; or see PACE_NS) */
	bool input;
	bool over; /* nothing will go through any more */

	/* Output. */
	uint64_t total;	 /* bytes sent */
	uint32_t credit; /* bytes the client lets us send */
	bool ended;	 /* the process' side has ended, and the client was told */
	bool moved;	 /* something went through; the owner may clear it */
	/* To know how many messages may be unread: see note_sent(). */
	int64_t window;	     /* the client's once it has read everything */
	uint32_t sent, sure; /* messages; those among them that it has surely read */
	uint32_t asks;	     /* the message that makes it ask for more; 0: none yet */

	/* Input. */
	struct buf held;      /* what the process has not taken */
	uint32_t granted;     /* bytes the client may send */
	bool closing;	      /* by tunnel_close_input() */
	bool client_finished; /* it will send no more */

	/* The client left, or `over` became true; from the loop only. May free the tunnel. */
	void (*on_change)(struct tunnel *);
};

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
 * caller and outlives the tunnel.
 */
MUST_CHECK int tunnel_start(struct tunnel *t, struct loop *loop, int fd, bool input,
			    void (*on_change)(struct tunnel *), struct err *err);

bool tunnel_running(const struct tunnel *t);

/* A client is there. */
bool tunnel_attached(const struct tunnel *t);

/* Output waits for the client rather than for the process. */
bool tunnel_blocked(const struct tunnel *t);

/* Bytes of output that the client has surely not taken; 0 may still mean some. */
size_t tunnel_unread(const struct tunnel *t);

/* CloseIO: `over` as soon as the client has sent everything and the process has it. */
void tunnel_close_input(struct tunnel *t);

/* Ends it on both sides, without a callback; the client reads end of file. NULL is fine. */
void tunnel_free(struct tunnel *t);
