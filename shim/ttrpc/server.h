/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "runtime/base/log.h"
#include "shim/loop/loop.h"
#include "shim/ttrpc/call.h"

/*
 * The TTRPC server: accepts connections of our own uid, decodes requests, finds the method in a
 * table and hands over a `struct call` that wants exactly one answer, now or later.
 */
/* 256 tasks, twice, plus clients that come and go; and the streams, which have one each */
#define SERVER_CONNECTIONS_MAX (640 + SERVER_STREAMS_MAX)
#define SERVER_STREAMS_MAX 1280
#define SERVER_CALLS_PER_CONN 2048 /* without an answer, those of call_wait() aside */
#define SERVER_WAITS_MAX 65536	   /* call_wait(), all connections together: a hundred bytes each */

/*
 * One RPC; run() answers the call at once or keeps it and answers later. Or it is a stream, which
 * run() accepts by setting call->stream_events: messages go both ways until call_end().
 */
struct method {
	const char *service, *name;
	const ProtobufCMessageDescriptor *request; /* NULL: the client opens a stream */
	void (*run)(void *owner, struct call *call);
	bool at_once; /* or by call_wait(): other calls without an answer are no reason to refuse it
		       */
};

struct server {
	struct source listener;
	struct loop *loop;
	int fd;			   /* listening socket, owned */
	struct timer listen_again; /* armed: the listener is muted until then */
	struct list conns;
	unsigned int n_conns;
	unsigned int n_waits;
	struct list timed; /* parked calls that have a deadline */
	struct timer first_deadline;
	bool had_request; /* at least one request has come */
	const struct method *methods;
	size_t n_methods;
	void *owner;			   /* first argument of every method */
	void (*on_alone)(struct server *); /* optional: the last connection is gone */
	struct log_subject about;	   /* of its lines in the log */
};

/* Takes the listening socket @fd, also on failure. @methods must outlive the server. */
MUST_CHECK int server_init(struct server *s, struct loop *loop, int fd_take,
			   const struct method *methods, size_t n_methods, void *owner,
			   struct err *err);
void server_deinit(struct server *s);

/* Stops accepting; open connections stay. */
void server_stop_listening(struct server *s);

/*
 * Keeps the call at the end of @where until it can be answered or run. When its deadline passes
 * before that, it is answered with ERR_TIMEOUT and gone.
 */
void call_park(struct call *call, struct list *where);

/* Takes it from there again; legal on a call that is not parked. */
void call_unpark(struct call *call);

/*
 * The same for a call that may wait for days and that a peer may make any number of times: nothing
 * of its request is kept, and it never stands in the way of another call. ERR_LIMIT when
 * SERVER_WAITS_MAX calls wait already; the call is then not parked.
 */
MUST_CHECK int call_wait(struct call *call, struct list *where, struct err *err);

/* Answers and frees the call; @reply NULL is the empty message. */
void call_reply(struct call *call, const ProtobufCMessage *reply);
void call_fail(struct call *call, const struct err *err);

/* Ends a stream and frees the call. */
void call_end(struct call *call);
