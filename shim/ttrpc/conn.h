/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "runtime/base/buf.h"
#include "shim/loop/loop.h"
#include "shim/ttrpc/frame.h"

/*
 * One TTRPC connection, either side: frames in, frames out, never blocking. Memory is taken as
 * bytes arrive and given back when a frame is done, so an idle connection costs this struct only.
 */
#define CONN_OUT_MAX                                                                \
	(8u << 20) /* queued output; a peer that does not read is cut off beyond it \
		    */

struct conn {
	struct source io;
	int fd;		    /* owned */
	struct timer again; /* armed: the kernel had no memory, @io is muted until then */
	unsigned int lives; /* times it was closed */
	uint8_t header[FRAME_HEADER];
	size_t header_len;
	struct frame frame; /* valid once the header is whole */
	struct buf body;    /* its payload so far */
	uint32_t discarded; /* bytes of an oversized payload thrown away so far */
	struct buf out;
	bool deaf; /* the peer reads no more; what it had sent is still taken */
	/*
	 * A whole frame; @body NULL when the payload exceeded FRAME_MAX and was discarded. The
	 * callee may close the connection and open it again, and what came behind the frame is then
	 * thrown away; it must not free the memory of the connection.
	 */
	void (*on_frame)(struct conn *, const struct frame *, const struct buf *body);
	/* The peer left or broke the protocol; the callee frees or re-initialises the connection.
	 */
	void (*on_closed)(struct conn *);
	/* Optional: what had to wait for the peer to read has gone; must not free the connection.
	 */
	void (*on_sent)(struct conn *);
};

/* Takes @fd, a connected non-blocking socket, also on failure. */
MUST_CHECK int conn_init(struct conn *c, struct loop *loop, int fd_take, struct err *err);
void conn_deinit(struct conn *c);

/*
 * Queues one frame whose payload is the packed @msg (NULL: empty) and writes what the socket takes
 * now. ERR_LIMIT beyond FRAME_MAX or CONN_OUT_MAX; nothing of the frame is queued then.
 */
MUST_CHECK int conn_send(struct conn *c, uint32_t stream, enum frame_type type,
			 const ProtobufCMessage *msg, struct err *err);

/* The same with @head->length bytes of @payload. Never ERR_NOMEM after conn_reserve(). */
MUST_CHECK int conn_send_bytes(struct conn *c, const struct frame *head, const void *payload,
			       struct err *err);

/* Memory for a frame with @n bytes of payload. ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int conn_reserve(struct conn *c, size_t n, struct err *err);

/* Bytes that the peer has not taken: exact while they wait here, else only 0 or more. */
size_t conn_unread(const struct conn *c);
