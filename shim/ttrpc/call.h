/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/arena.h"
#include "runtime/base/list.h"
#include "runtime/base/log.h"
#include "shim/ttrpc/conn.h"

/*
 * A request that a server (server.h) has received, and what can be done with one that is a stream.
 */
struct call;
struct method;
struct server;

/* What happens to a stream, from the loop only. */
struct stream_events {
	/* A message came, which is not kept; may end the call. */
	void (*on_message)(struct call *, const uint8_t *bytes, size_t n);
	/* The client will send no more; may end the call. */
	void (*on_half_closed)(struct call *);
	/* call_unsent() is false again; must not end any call. */
	void (*on_sent)(struct call *);
};

/* A connection; private to call.c and server.c. */
struct server_conn {
	struct conn conn;
	struct server *server;
	const struct log_subject *about; /* of the server's lines in the log */
	struct list in_server;
	struct list calls;
	unsigned int n_calls;
	uint32_t last_stream; /* 0: the peer has not sent a request yet */
	bool asks;	      /* it has carried something other than streams */
	struct timer over;    /* armed: it had streams only, and they have ended */
};

/* One request, until it is answered. */
struct call {
	struct list in_conn;
	struct server *server;
	struct server_conn *conn; /* NULL once the peer left: answering is then a no-op */
	struct arena arena;	  /* the request lives here */
	uint32_t stream;
	uint64_t deadline_ns; /* CLOCK_MONOTONIC, 0: none */
	const struct method *method;
	const void *request; /* decoded, in the arena; NULL after call_wait() */
	/* The trace it belongs to (runtime/base/traceparent.h), in the arena; NULL when there is
	 * none, and after call_wait(). */
	const char *traceparent;
	void *keeper;	    /* for whoever keeps the call */
	struct list parked; /* see call_park() */
	struct list timed;
	bool waits;		  /* by call_wait() */
	bool closed, half_closed; /* a stream: we, or the client, will send no more */
	const struct stream_events *stream_events; /* NULL unless a stream */
	/*
	 * Optional: the peer left while the call was parked, or broke the rules of its stream; may
	 * answer (and so free) the call.
	 */
	void (*on_peer_gone)(struct call *);
};

/*
 * Sends a message of a stream. ERR_LIMIT, ERR_NOMEM, and then nothing of it was sent; no error when
 * the peer has gone. Never ERR_NOMEM after a call_reserve() of as many bytes.
 */
MUST_CHECK int call_send_message(struct call *call, const void *bytes, size_t n, struct err *err);
MUST_CHECK int call_reserve(struct call *call, size_t n, struct err *err);

/* True while something that was sent on the connection waits here, or nobody would hear more. */
bool call_unsent(const struct call *call);

/* Bytes that the peer has not taken from its socket (conn_unread()); 0 when it has gone. */
size_t call_unread(const struct call *call);

/* The stream has no more messages from us; the call stays until call_end(). */
void call_close(struct call *call);

/* The stream with that id; NULL when there is none, or the call is not a stream. */
struct call *call_find_stream(const struct server_conn *sc, uint32_t stream);
