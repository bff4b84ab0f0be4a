/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/host/fifo.h"
#include "shim/host/logger.h"
#include "shim/host/relay.h"
#include "shim/host/stdio.h"

/*
 * What stdio.c (the life of the streams) and stdio_open.c (where they lead to) share. Private to
 * the two. Allocated per process for as long as a stream goes through us.
 */
enum { STREAM_IN, STREAM_OUT, STREAM_ERR, STREAM_N };

/* A stream that needs us: one that goes straight from the process to a file has none of this. */
struct stream {
	struct stdio_streams *all;
	struct fifo client; /* containerd's side; with a terminal `fd` may also be a file or pipe */
	int inner;	    /* our end of the engine's pipe, or the terminal; -1 until there */
	struct relay relay;
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
	int console_fd;	       /* listens until the engine is done; owned */
	bool failed;	       /* readiness failed and that was told */
	bool exited;
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
