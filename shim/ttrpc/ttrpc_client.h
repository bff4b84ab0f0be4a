/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "shim/loop/loop.h"
#include "shim/ttrpc/conn.h"

/*
 * A TTRPC client for one call at a time, as the event publisher needs it. The first call opens the
 * connection, and it is kept, also after an answer that is an error. After a call that got no
 * answer, the next one opens a new connection.
 */
struct client {
	struct conn conn;
	struct loop *loop;
	const char *path; /* unix socket, not owned */
	bool connected, busy;
	uint32_t stream; /* id of the latest request */
	struct timer bound;
	/*
	 * The call ended: @failed NULL on success, ERR_PRECONDITION when the peer answered with an
	 * error, ERR_IO or ERR_TIMEOUT when it did not answer. May start the next call.
	 */
	void (*on_done)(struct client *, const struct err *failed);
};

void client_init(struct client *c, struct loop *loop, const char *path,
		 void (*on_done)(struct client *, const struct err *failed));
void client_deinit(struct client *c);

/*
 * Starts a call; on_done follows, never from within. ERR_IO when the peer cannot be reached.
 * @payload is the packed request message and is not kept.
 */
MUST_CHECK int client_call(struct client *c, const char *service, const char *method,
			   const void *payload, size_t n, uint64_t bound_ns, struct err *err);
