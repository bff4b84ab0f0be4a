/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/host/fifo.h"
#include "shim/host/logger.h"
#include "shim/host/relay.h"
#include "shim/host/stdio_ends.h"
#include "shim/host/tunnel.h"

struct stdio;

/*
 * What stdio.c (the life of the streams), stdio_open.c (where they lead to) and handover.c (what
 * the client has read) work on. Private to the three. Allocated per process for as long as a stream
 * goes through us.
 */
enum { STREAM_IN, STREAM_OUT, STREAM_ERR, STREAM_N };

/* A stream that needs us: one that goes straight from the process to a file has none of this. */
struct stream {
	struct stdio_streams *all;
	struct fifo client; /* containerd's side; with a terminal `fd` may also be a file or pipe */
	struct tunnel *tunnel; /* or this; NULL: none. It takes the place of the relay, too */
	int inner;	       /* our end of the engine's pipe, or the terminal; -1 until there */
	struct relay relay;
	uint64_t
		due; /* stream_total() once all that was written before the exit has gone through */
};

/* A logging driver and whose it is. */
struct driver {
	struct logger logger;
	struct stdio_streams *all;
};

struct stdio_streams {
	struct stdio *io;
	struct engine_ends *engine; /* those of @io */
	struct loop *loop;
	struct stream of[STREAM_N];
	struct driver *driver; /* NULL without one, or when it has ended */
	struct timer drain;    /* armed from the process' exit on */
	struct timer hold;     /* see stdio_engine_begins(); until the output flows */
	struct timer look;     /* from the exit on: when to see again what the client has read */
	uint64_t pause;	       /* before the next look, ns */
	uint64_t read;	       /* what the client had read by the last look, of both streams */
	uint64_t read_at;      /* when that changed last, ns */
	uint64_t patience;     /* with a client that reads nothing, ns */
	const char *dir;       /* of the console socket */
	int console_fd;	       /* listens until the engine is done; owned */
	bool terminal;
	bool flowing; /* the relays of the output were started */
	bool failed;  /* readiness failed and on_ready has said so */
	bool exited;
	bool ending; /* Delete has come: a client that leaves will not be back */
	bool handed; /* the client has what was written before the exit, or is not waited for */
};

/* Bytes the client's side took. */
static inline uint64_t stream_total(const struct stream *s)
{
	return s->tunnel ? s->tunnel->total : s->relay.total;
}

/* True while something can still come through, or lies in the FIFO unread. */
static inline bool stream_open(const struct stream *s)
{
	return s->client.fd >= 0 || s->client.other >= 0 || fifo_waiting(&s->client) || s->tunnel;
}
