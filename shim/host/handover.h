/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/host/stdio_streams.h"

/* Between a process' exit and the moment its client has what the process wrote. */

/* Bytes still to be written: in the engine's pipe, or read from a terminal already. */
size_t stream_pending(const struct stream *s);

/* All output of the process is in the FIFO, but the client has not read all of it. */
bool stream_unread(const struct stream *s);

/*
 * To be called at the exit. With a logging driver there is nothing to wait for: the output goes
 * straight to the driver, so the exit is published at once.
 */
void handover_begin(struct stdio_streams *all);

/* The exit may be published: the client has all output, or is not waited for (stdio.h). */
bool handover_over(struct stdio_streams *all);

/* Arms the next look, if there is anything to look at. */
void handover_look_again(struct stdio_streams *all);

/* The stream still makes progress, or waits for the client rather than the process. */
bool stream_draining(struct stream *s);

/* Output that nobody reads. */
bool stream_deserted(struct stream *s);
