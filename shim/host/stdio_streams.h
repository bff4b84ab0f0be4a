/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/host/fifo.h"
#include "shim/host/logger.h"
#include "shim/host/relay.h"
#include "shim/host/stdio.h"

/*
 * What stdio.c (the life of the streams), stdio_open.c (where they lead to) and handover.c (what
 * the client has read) share. Private to the three. Allocated per process for as long as a stream
 * goes through us.
 */
enum { STREAM_IN, STREAM_OUT, STREAM_ERR, STREAM_N };

/* A stream that needs us: one that goes straight from the process to a file has none of this. */
struct stream {
	struct stdio_streams *all;
	struct fifo client; /* containerd's side; with a terminal `fd` may also be a file or pipe */
	int inner;	    /* our end of the engine's pipe, or the terminal; -1 until there */
	struct relay relay;
	uint64_t due; /* what relay.total is when all is through that was written before the exit */
};

/* A logging driver and whose it is. */
struct driver {
	struct logger logger;
	struct stdio_streams *all;
};

struct stdio_streams {
	struct stdio *io;
	struct loop *loop;
	struct stream of[STREAM_N];
	struct driver *driver; /* NULL without one, or when it has ended */
	struct timer drain;    /* armed from the process' exit on */
	struct timer hold;     /* see stdio_open(); until the output flows */
	struct timer look;     /* at what the client has read, from the exit on */
	uint64_t pause;	       /* before the next look, ns */
	uint64_t read;	       /* what the client had read by the last look, of both streams */
	uint64_t read_at;      /* when that changed last, ns */
	uint64_t patience;     /* with a client that reads nothing, ns */
	int console_fd;	       /* listens until the engine is done; owned */
	bool terminal;
	bool flowing; /* the relays of the output were started */
	bool failed;  /* readiness failed and that was told */
	bool exited;
	bool handed; /* what was written before the exit is the client's, or is not waited for */
};

/* stdio_open.c: opens all streams of @spec into the empty @all and its io. */
MUST_CHECK int streams_open(struct stdio_streams *all, struct reaper *reaper,
			    const struct stdio_spec *spec, struct err *err);

/* stdio.c: starts the relay of a stream whose two ends are there; otherwise nothing. */
MUST_CHECK int stream_start(struct stream *s, struct err *err);

/* stdio.c: the callbacks of what streams_open() started. */
void stream_on_fifo_open(struct fifo *f, const struct err *failed);
void stream_on_driver_ready(struct logger *l, const struct err *failed);
void stream_on_driver_exit(struct logger *l);

/* True while something can still come through, or lies in the FIFO unread. */
static inline bool stream_open(const struct stream *s)
{
	return s->client.fd >= 0 || s->client.other >= 0 || fifo_waiting(&s->client);
}

/* handover.c: bytes before us, in the engine's pipe or taken from a terminal and not written yet.
 */
size_t stream_pending(const struct stream *s);

/* handover.c: the process' output is through, and the client has not read it to its end. */
bool stream_unread(const struct stream *s);

/*
 * handover.c: from the exit on. What a logging driver gets goes straight to it and is its own
 * affair: its exit is told at once.
 */
void handover_begin(struct stdio_streams *all);

/* handover.c: the exit may be told: the client has all of it, or is not waited for (stdio.h). */
bool handover_over(struct stdio_streams *all);

/* handover.c: arms the next look, if there is anything to look at. */
void handover_look_again(struct stdio_streams *all);
