/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/buf.h"
#include "shim/loop/loop.h"
#include "shim/ttrpc/call.h"

/* What tunnel.c (both its ends, and its input) and tunnel_output.c work on. */
#define TUNNEL_WINDOW (32u << 10)

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

/* The process' side has begun, and has not ended. */
static inline bool tunnel_running(const struct tunnel *t)
{
	return t->pipe.loop != NULL;
}

/* A client is there. */
static inline bool tunnel_attached(const struct tunnel *t)
{
	return t->call != NULL;
}
