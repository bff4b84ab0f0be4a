/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "runtime/base/arena.h"
#include "shim/loop/loop.h"
#include "shim/ttrpc/conn.h"

/*
 * The TTRPC server: accepts connections of our own uid, decodes requests, finds the method in a
 * table and hands over a `struct call` that wants exactly one answer, now or later.
 */
#define SERVER_CONNECTIONS_MAX 640 /* 256 tasks, twice, plus clients that come and go */
#define SERVER_CALLS_PER_CONN 2048

struct call;
/* One RPC; run() answers the call at once or keeps it and answers later. */
struct method {
	const char *service, *name;
	const ProtobufCMessageDescriptor *request;
	void (*run)(void *owner, struct call *call);
};

struct server {
	struct source listener;
	struct loop *loop;
	int fd; /* listening socket, owned */
	struct list conns;
	unsigned int n_conns;
	bool had_request; /* somebody asked something at some time */
	const struct method *methods;
	size_t n_methods;
	void *owner; /* first argument of every method */
};

struct server_conn;
struct call {
	struct list in_conn;
	struct server_conn *conn; /* NULL once the peer left: answering is then a no-op */
	struct arena arena;	  /* the request lives here */
	uint32_t stream;
	uint64_t deadline_ns; /* CLOCK_MONOTONIC, 0: none */
	const struct method *method;
	const void *request; /* decoded, in the arena */
	void *keeper;	     /* for whoever keeps the call, as is the next */
	struct list parked;  /* for whoever keeps the call until it can be answered */
	/* Optional: the peer left while the call was parked; may answer (and so free) the call. */
	void (*on_peer_gone)(struct call *);
};

/* Takes the listening socket @fd, also on failure. @methods must outlive the server. */
MUST_CHECK int server_init(struct server *s, struct loop *loop, int fd_take,
			   const struct method *methods, size_t n_methods, void *owner,
			   struct err *err);
void server_deinit(struct server *s);

/* Stops accepting; open connections stay. */
void server_stop_listening(struct server *s);

/* Answers and frees the call; @reply NULL is the empty message. */
void call_reply(struct call *call, const ProtobufCMessage *reply);
void call_fail(struct call *call, const struct err *err);

/* The google.rpc code an error travels as (shim-protocol 3.6). */
int err_rpc_code(enum err_code code);
