/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/host/stdio_streams.h"

/* Where the streams of a process lead to. */

/* What becomes of the ends that are not there at once. */
struct stream_callbacks {
	void (*on_fifo_open)(struct fifo *f, const struct err *failed);
	void (*on_driver_ready)(struct logger *l, const struct err *failed);
	void (*on_driver_exit)(struct logger *l);
};

/* Opens all streams of @spec into the empty @all and its ends for the engine. No relay runs yet. */
MUST_CHECK int streams_open(struct stdio_streams *all, struct reaper *reaper,
			    const struct stdio_spec *spec, const struct stream_callbacks *on,
			    struct err *err);
