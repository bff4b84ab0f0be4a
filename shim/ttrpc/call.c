/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/ttrpc/call.h"

#include <sys/socket.h>

#include "runtime/base/log.h"

int call_reserve(struct call *call, size_t n, struct err *err)
{
	return call->conn ? conn_reserve(&call->conn->conn, n, err) : 0;
}

int call_send_message(struct call *call, const void *bytes, size_t n, struct err *err)
{
	struct frame head = { .length = (uint32_t)n, .stream = call->stream, .type = FRAME_DATA };

	return call->conn ? conn_send_bytes(&call->conn->conn, &head, bytes, err) : 0;
}

bool call_unsent(const struct call *call)
{
	return call->conn && (call->conn->conn.out.len || call->conn->conn.deaf);
}

size_t call_unread(const struct call *call)
{
	return call->conn ? conn_unread(&call->conn->conn) : 0;
}

void call_close(struct call *call)
{
	struct frame end = { .stream = call->stream,
			     .type = FRAME_DATA,
			     .flags = FRAME_CLOSED | FRAME_NO_DATA };
	struct err err;

	if (call->closed || !call->conn)
		return;
	call->closed = true;
	if (conn_send_bytes(&call->conn->conn, &end, NULL, &err) == 0)
		return;
	/* Without its end the client would wait for good. */
	log_write(LOG_WARNING, *call->conn->about, LOG_FIELDS(.error = err.text),
		  "closing a connection");
	shutdown(call->conn->conn.fd, SHUT_RDWR);
}

struct call *call_find_stream(const struct server_conn *sc, uint32_t stream)
{
	list_for_each(node, &sc->calls) {
		struct call *call = list_entry(node, struct call, in_conn);

		if (call->stream == stream)
			return call->stream_events ? call : NULL;
	}
	return NULL;
}
