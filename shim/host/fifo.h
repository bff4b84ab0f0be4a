/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/loop/loop.h"

/*
 * Our two ends of a FIFO the client made (shim/README.md, Streams). The client opens its end
 * blocking, at a time of its own choice; ours are opened without ever blocking. The second end
 * keeps the FIFO and its contents while the client restarts, and hides that the client is away: no
 * EPIPE on output, no end of file on input.
 */
struct fifo {
	int fd;	   /* the end we use, non-blocking; -1 until open; owned */
	int other; /* the opposite end; -1 when closed; owned */
	struct loop *loop;
	struct timer retry;
	char *path;	  /* NULL unless we still wait for the reader */
	uint64_t give_up; /* CLOCK_MONOTONIC, ns */
	uint32_t pause;	  /* ms before the next attempt */
	/* The reader came (@failed NULL) or did not come in time. Not called by fifo_open_write().
	 */
	void (*on_open)(struct fifo *, const struct err *failed);
};

/* For the client's input: opens both ends at once. */
MUST_CHECK int fifo_open_read(struct fifo *f, const char *path, struct err *err);

/*
 * For output. Writing may only begin when the client has its end open, or what is written before
 * could be lost. If there is a reader already, the FIFO is open on return and on_open is not
 * called. If not, the open is repeated for up to 30 s, and then on_open is called.
 */
MUST_CHECK int fifo_open_write(struct fifo *f, struct loop *loop, const char *path,
			       void (*on_open)(struct fifo *, const struct err *failed),
			       struct err *err);

/* True while the reader is still to come. */
bool fifo_waiting(const struct fifo *f);

/* Bytes in the FIFO that the client has not read; 0 when our reading end is closed. */
size_t fifo_unread(const struct fifo *f);

/*
 * True when somebody other than us has the FIFO open for reading. To find out, our own reading end
 * is closed for a moment; what is in the FIFO stays, because our writing end stays open.
 */
bool fifo_has_reader(struct fifo *f);

/* Closes the writing end: the client reads end of file after what is in the FIFO. */
void fifo_end(struct fifo *f);

/* Closes both ends and stops waiting. Needs `fd` and `other` to be set (-1 for none). */
void fifo_deinit(struct fifo *f);

/* Sets @ret when @path is a FIFO. ERR_NOT_FOUND when there is nothing at @path. */
MUST_CHECK int fifo_is(const char *path, bool *ret, struct err *err);
