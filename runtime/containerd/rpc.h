/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "runtime/base/arena.h"
#include "runtime/base/err.h"
#include "runtime/containerd/rpc_status.h"

/*
 * A synchronous gRPC client over a unix socket, on the gRPC C core: one call at a time, from one
 * thread. The core starts threads of its own, so a process that used this must not fork afterwards.
 * It ends with _exit(): nothing that the core's own tear-down does is needed any more.
 */

/* The largest message accepted: containerd's own limit. */
#define RPC_MESSAGE_MAX (16u << 20)

struct rpc_target {
	const char *socket;	 /* absolute path, "unix://" in front allowed */
	const char *namespace;	 /* containerd-namespace of every call; NULL sends none */
	unsigned int timeout_ms; /* for connecting and all calls together; 0 waits for ever */
};

/* How a call ended, in gRPC's terms. Meaningful after a function below returned, either way. */
struct rpc_status {
	unsigned int code;  /* 0 OK to 16 Unauthenticated */
	char message[4096]; /* the server's text, cut to fit */
};

struct rpc;

/*
 * Connects. ERR_NOT_FOUND when there is no socket of that name, ERR_TIMEOUT, ERR_IO otherwise. The
 * strings of @target are copied. rpc_free() takes NULL and returns NULL.
 */
MUST_CHECK int rpc_open(const struct rpc_target *target, struct rpc **ret, struct err *err);
struct rpc *rpc_free(struct rpc *rpc);

/* From now on all calls together may take @timeout_ms; 0 waits for ever. */
void rpc_allow(struct rpc *rpc, unsigned int timeout_ms);

/*
 * What later calls create belongs to @lease (snapshots.h), in the place of a lease of before. The
 * second form ends it.
 */
void rpc_use_lease(struct rpc *rpc, const char *lease);
void rpc_leave_lease(struct rpc *rpc);

static inline void cleanup_rpc_(struct rpc **rpc)
{
	rpc_free(*rpc);
}
#define CLEANUP_RPC CLEANUP(cleanup_rpc_)

/* One call. @method is "/package.Service/Method"; @reply describes the answer's message. */
struct rpc_call {
	const char *method;
	const ProtobufCMessage *request;
	const ProtobufCMessageDescriptor *reply;
};

/*
 * Takes one message of a stream; it lives in the arena of the call. A failure (-1, with err set)
 * cancels the rest.
 */
typedef int rpc_on_message(void *ctx, ProtobufCMessage *message, struct err *err);

/*
 * One request, one reply; *ret_reply lives in @arena. The error's text names the method and holds
 * the server's message; its code follows the gRPC code. ERR_LIMIT for a reply that is too large,
 * ERR_INVALID for one that cannot be decoded.
 */
MUST_CHECK int rpc_unary(struct rpc *rpc, const struct rpc_call *call, struct arena *arena,
			 ProtobufCMessage **ret_reply, struct err *err);

/* One request, any number of replies, each given to @on_message in order. Errors as above. */
MUST_CHECK int rpc_stream(struct rpc *rpc, const struct rpc_call *call, struct arena *arena,
			  rpc_on_message *on_message, void *ctx, struct err *err);

/*
 * A call of one reply that goes on while others are made on the same connection. It has the time
 * that rpc_allow() gave when it began. rpc_wait() waits at most @ms for its end and says whether it
 * has come; then, or at any time, one of the two others takes the call: rpc_finish() waits for the
 * end and gives what rpc_unary() gives, rpc_abandon() cancels it.
 */
struct rpc_pending;
MUST_CHECK int rpc_begin(struct rpc *rpc, const struct rpc_call *call, struct rpc_pending **ret,
			 struct err *err);
bool rpc_wait(struct rpc_pending *p, unsigned int ms);
MUST_CHECK int rpc_finish(struct rpc_pending *take, struct arena *arena,
			  ProtobufCMessage **ret_reply, struct err *err);
void rpc_abandon(struct rpc_pending *take);

/* The status of the last call, or of connecting. Owned by @rpc. */
const struct rpc_status *rpc_last_status(const struct rpc *rpc);
