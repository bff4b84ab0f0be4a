/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "shim/loop/loop.h"

/*
 * One direction between two descriptors, moved with splice(2): between pipes the kernel passes
 * whole pages on, nothing is copied and nothing of it is in our memory. Only one side is watched
 * at a time: the source while it is empty, the destination while it is full. A pair of descriptors
 * that splice() refuses (EINVAL: a terminal and a file) is copied in small blocks.
 *
 * The descriptors belong to the caller, must be non-blocking and outlive the relay. A descriptor
 * can be in one relay only (epoll knows it once): duplicate a terminal that is both ends.
 */
struct relay {
	struct source in, out;
	struct timer again; /* after a move that the kernel had no memory for */
	/*
	 * Called once, at the end; the relay is stopped by then and may be freed. @errnum is 0 when
	 * the source ended (end of file, or EIO from a terminal nobody has open any more),
	 * otherwise the error; EPIPE when nobody can read the destination. A move that the kernel
	 * has no memory for is tried again, and is no end.
	 */
	void (*on_end)(struct relay *, int errnum);
	uint64_t total;	   /* bytes the destination took, since relay_start() */
	uint8_t *rest;	   /* copied blocks only: what the destination did not take yet; owned */
	uint16_t rest_at;  /* where it begins */
	uint16_t rest_len; /* and how much is left */
	bool copies;	   /* splice() does not take this pair */
	bool grown;	   /* the source pipe was enlarged */
	uint32_t window;   /* bytes moved since window_at (ns) */
	uint64_t window_at;
	bool moved; /* something went through; the owner may clear it */
};

/* Starts; an all-zero relay is a stopped one. */
MUST_CHECK int relay_start(struct relay *r, struct loop *loop, int in, int out,
			   void (*on_end)(struct relay *, int errnum), struct err *err);

bool relay_running(const struct relay *r);

/* True while we wait for the destination: there is data for which it has no room. */
bool relay_blocked(const struct relay *r);

/* Stops without a callback. Legal at any time. */
void relay_stop(struct relay *r);
