/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "shim/host/stdio_ends.h"
#include "shim/loop/child.h"
#include "shim/loop/loop.h"

/*
 * The three streams of one process (shim/README.md, Streams): FIFOs, files, a logging driver or a
 * terminal on containerd's side; pipes or a console socket on the engine's side; relays between
 * them that move data with splice(2) and keep no copy of it.
 *
 * Life of one: stdio_open(), wait until stdio_is_ready(), run the engine with its ends,
 * stdio_engine_begins(), stdio_engine_done(), stdio_process_exited(), wait until stdio_drained(),
 * stdio_deinit(). With FIFOs the engine may already run while readiness is awaited; a logging
 * driver has to be ready first.
 *
 * The callbacks come from the loop only, never from within a function of this header. What is true
 * already when stdio_open() or stdio_process_exited() returns (ask stdio_is_ready(),
 * stdio_handed(), stdio_drained()) causes no callback. Any of them may free the object.
 */
struct stdio_streams; /* stdio_streams.h */

struct stdio {
	struct engine_ends engine;
	/*
	 * Called at most once: every end is open and a logging driver is ready (@failed NULL), or
	 * something was not within its time (@failed says what).
	 */
	void (*on_ready)(struct stdio *, const struct err *failed);
	/* Called at most once, after stdio_process_exited(): stdio_handed() is true now. */
	void (*on_handed)(struct stdio *);
	/*
	 * Called at most once, after on_handed: all output was handed over or cut. Where both
	 * become true at once only on_handed is called.
	 */
	void (*on_drained)(struct stdio *);
	struct stdio_streams *streams; /* NULL when nothing is left to do */
};

#define STDIO_INIT                           \
	{                                    \
		.engine.fds = { -1, -1, -1 } \
	}

/*
 * Opens everything without blocking. The callbacks may be set before or after. ERR_INVALID for a
 * URI scheme we do not know, ERR_NOT_FOUND for a path that does not exist. On failure the object is
 * as before the call.
 */
MUST_CHECK int stdio_open(struct stdio *io, struct loop *loop, struct reaper *reaper,
			  const struct stdio_spec *spec, struct err *err);

/* True when there is nothing (more) to wait for before the process may run. */
bool stdio_is_ready(const struct stdio *io);

/* The engine was started with its ends: what it says must not fill its pipes. */
void stdio_engine_begins(struct stdio *io);

/*
 * The engine returned successfully. Our copies of its ends are closed, so that only the process
 * holds them, and the relays of the output start. Not before: until then it is the engine that
 * writes, and what an engine that fails says is not a process's output. (An engine that says more
 * than the pipe holds is not held up.) With a terminal the master is taken over; ERR_ENGINE when
 * none was sent.
 */
MUST_CHECK int stdio_engine_done(struct stdio *io, struct err *err);

/*
 * A non-blocking pipe with what an engine that failed wrote to the standard error of the process;
 * -1 without one. The descriptor stays owned here.
 */
int stdio_engine_words(const struct stdio *io);

/*
 * To be called instead of stdio_engine_done(): no engine will use the streams, and @line is the
 * only output, on standard error or, with a terminal, on the terminal.
 */
MUST_CHECK int stdio_say(struct stdio *io, const char *line, struct err *err);

/* CloseIO: the process reads end of file once the client has closed its end as well. */
void stdio_close_stdin(struct stdio *io);

/* ResizePty, in characters; nothing happens without a terminal. */
MUST_CHECK int stdio_resize(struct stdio *io, unsigned int width, unsigned int height,
			    struct err *err);

/*
 * The process is gone. Its input ends; its output goes on to end of file, which a descendant that
 * keeps the pipe open may put off until Delete, as with containerd's own shim. Only a terminal that
 * somebody keeps open is cut after STDIO_DRAIN without new data. Then our ends of the FIFOs are
 * closed and the client reads end of file: containerd's client sends Delete only after that
 * (Wait() of pkg/cio/io.go, called by client/task.go).
 */
#define STDIO_DRAIN S_TO_NS(2)
void stdio_process_exited(struct stdio *io);

/*
 * True when the client has read what the process had written by the time it exited. A client of
 * containerd may stop reading once it knows of the exit (cio.Cancel in pkg/cio/io_unix.go), so the
 * exit is published after this. A FIFO that nobody has open for reading is not waited for, nor a
 * client that has not read a byte for STDIO_PATIENCE.
 */
#define STDIO_PATIENCE S_TO_NS(10)
bool stdio_handed(const struct stdio *io);

/* Somebody asked for the end and waits for it: from now on patience is no longer than STDIO_HURRY.
 */
#define STDIO_HURRY S_TO_NS(1)
void stdio_hurry(struct stdio *io);

/* Delete has come: closes the streams that nobody reads. Ask stdio_drained() afterwards. */
void stdio_end_unread(struct stdio *io);

/* True when no output is pending and none will come. */
bool stdio_drained(const struct stdio *io);

/* Closes everything now, whatever is still to be handed over; on_drained will not be called. */
void stdio_give_up(struct stdio *io);

/* Releases everything, at any time, without callbacks. Idempotent; legal on STDIO_INIT. */
void stdio_deinit(struct stdio *io);
