/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/ttrpc/server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "proto/ttrpc.pb-c.h"
#include "runtime/base/allocator.h"
#include "runtime/base/log.h"
#include "shim/ttrpc/metadata.h"
#include "shim/ttrpc/rpc_code.h"

/* What one request may occupy once decoded: the frame itself and as much again for structure. */
#define CALL_ARENA_MAX (3 * FRAME_MAX)
/* After an accept() for which the node lacks descriptors or memory. */
#define LISTEN_AGAIN_NS MS_TO_NS(100)
/* Deadlines are looked for no more often than this, however many different ones there are. */
#define DEADLINES_NS MS_TO_NS(10)
/* A client that closes its connection itself has done so by then. */
#define OVER_NS S_TO_NS(2)

static void send_response(struct server_conn *sc, uint32_t stream, Crossarch__TtrpcResponse *r)
{
	struct err err;

	if (conn_send(&sc->conn, stream, FRAME_RESPONSE, &r->base, &err) == 0)
		return;
	/* The peer does not read its answers: it is cut off by the loop, never by a callback. */
	log_write(LOG_WARNING, sc->server->about, LOG_FIELDS(.error = err.text),
		  "closing a connection");
	shutdown(sc->conn.fd, SHUT_RDWR);
}

static void send_failure(struct server_conn *sc, uint32_t stream, const struct err *err)
{
	Crossarch__TtrpcResponse r = CROSSARCH__TTRPC_RESPONSE__INIT;
	Crossarch__TtrpcStatus status = CROSSARCH__TTRPC_STATUS__INIT;
	char text[ERR_TEXT_MAX];

	memcpy(text, err->text, sizeof(text));
	status.code = err_rpc_code(err->code);
	status.message = text;
	r.status = &status;
	send_response(sc, stream, &r);
}

/*
 * containerd makes a connection for each stream, and before 2.3 it does not close it with the
 * stream: without us both would have one more for every exec, until there are no descriptors left.
 */
static void expect_end(struct server_conn *sc)
{
	if (list_empty(&sc->calls) && !sc->asks)
		timer_arm(&sc->over, sc->server->loop, OVER_NS);
}

static void call_free(struct call *call)
{
	if (call->waits)
		call->server->n_waits--;
	else if (call->conn)
		call->conn->n_calls--;
	list_del(&call->in_conn);
	if (call->conn)
		expect_end(call->conn);
	call_unpark(call);
	arena_deinit(&call->arena);
	free(call);
}

void call_reply(struct call *call, const ProtobufCMessage *reply)
{
	Crossarch__TtrpcResponse r = CROSSARCH__TTRPC_RESPONSE__INIT;
	CLEANUP_FREE uint8_t *packed = NULL;

	if (call->conn && reply) {
		size_t n = protobuf_c_message_get_packed_size(reply);

		packed = malloc(n + 1);
		if (packed) {
			r.payload.len = protobuf_c_message_pack(reply, packed);
			r.payload.data = packed;
		}
	}
	if (call->conn && reply && !packed) {
		struct err err = { .code = ERR_NOMEM, .text = "no memory for the reply" };

		send_failure(call->conn, call->stream, &err);
	} else if (call->conn) {
		send_response(call->conn, call->stream, &r);
	}
	call_free(call);
}

void call_fail(struct call *call, const struct err *err)
{
	if (call->conn)
		send_failure(call->conn, call->stream, err);
	call_free(call);
}

/* --- streams ------------------------------------------------------------------------------ */

void call_end(struct call *call)
{
	call_close(call);
	call_free(call);
}

/* For whoever has the call the peer has left. */
static void break_stream(struct call *call, const struct err *err)
{
	struct server_conn *sc = call->conn;

	send_failure(sc, call->stream, err);
	call->conn = NULL;
	sc->n_calls--;
	list_del(&call->in_conn);
	expect_end(sc);
	if (call->on_peer_gone)
		call->on_peer_gone(call);
}

/*
 * What is still under way to a stream that ended here is thrown away. Any step may end the call, so
 * it is looked for again.
 */
static void on_data(struct server_conn *sc, const struct frame *f, const struct buf *body)
{
	struct call *call = call_find_stream(sc, f->stream);
	struct err err;

	if (!call && (!(f->stream & 1) || f->stream > sc->last_stream)) {
		err_set(&err, ERR_INVALID, "stream %u was not opened", f->stream);
		send_failure(sc, f->stream, &err);
		return;
	}
	if (!call || call->half_closed)
		return;
	if (!body) {
		err_set(&err, ERR_LIMIT, "message of %u bytes exceeds the limit of %u", f->length,
			FRAME_MAX);
		break_stream(call, &err);
		return;
	}
	if (!(f->flags & FRAME_NO_DATA))
		call->stream_events->on_message(call, body->data, body->len);
	call = f->flags & FRAME_CLOSED ? call_find_stream(sc, f->stream) : NULL;
	if (!call)
		return;
	call->half_closed = true;
	call->stream_events->on_half_closed(call);
}

static void on_sent(struct conn *c)
{
	struct server_conn *sc = container_of(c, struct server_conn, conn);

	list_for_each(node, &sc->calls) {
		struct call *call = list_entry(node, struct call, in_conn);

		if (call->stream_events)
			call->stream_events->on_sent(call);
	}
}

/* --- parked calls ------------------------------------------------------------------------- */

static void expect_deadline(struct server *s, uint64_t at)
{
	uint64_t now = now_ns();

	if (timer_armed(&s->first_deadline) && s->first_deadline.at_ns <= at)
		return;
	timer_arm(&s->first_deadline, s->loop, at > now + DEADLINES_NS ? at - now : DEADLINES_NS);
}

static void on_first_deadline(struct timer *t)
{
	struct server *s = container_of(t, struct server, first_deadline);
	uint64_t next = UINT64_MAX, now = now_ns();
	struct err err;

	list_for_each_safe(node, &s->timed) {
		struct call *call = list_entry(node, struct call, timed);

		if (call->deadline_ns > now) {
			next = call->deadline_ns < next ? call->deadline_ns : next;
			continue;
		}
		err_set(&err, ERR_TIMEOUT, "%s: its deadline passed", call->method->name);
		call_fail(call, &err);
	}
	if (next != UINT64_MAX)
		expect_deadline(s, next);
}

void call_unpark(struct call *call)
{
	list_del(&call->parked);
	list_del(&call->timed);
}

void call_park(struct call *call, struct list *where)
{
	call_unpark(call);
	list_add(where, &call->parked);
	if (!call->deadline_ns)
		return;
	list_add(&call->server->timed, &call->timed);
	expect_deadline(call->server, call->deadline_ns);
}

int call_wait(struct call *call, struct list *where, struct err *err)
{
	if (call->server->n_waits >= SERVER_WAITS_MAX)
		return err_set(err, ERR_LIMIT, "%u calls of %s wait already", SERVER_WAITS_MAX,
			       call->method->name);
	call->server->n_waits++;
	call->waits = true;
	if (call->conn)
		call->conn->n_calls--;
	arena_deinit(&call->arena);
	call->request = NULL;
	call->traceparent = NULL;
	call_park(call, where);
	return 0;
}

/* --- requests ----------------------------------------------------------------------------- */

static const struct method *find_method(const struct server *s, const char *service,
					const char *name, bool *ret_service_known)
{
	*ret_service_known = false;
	for (size_t i = 0; i < s->n_methods; i++) {
		if (strcmp(s->methods[i].service, service) != 0)
			continue;
		*ret_service_known = true;
		if (strcmp(s->methods[i].name, name) == 0)
			return &s->methods[i];
	}
	return NULL;
}

static int decode_request(struct call *call, struct server *s, const struct frame *f,
			  const struct buf *body, struct err *err)
{
	ProtobufCAllocator alloc = arena_allocator(&call->arena);
	bool service_known;
	Crossarch__TtrpcRequest *r =
		crossarch__ttrpc_request__unpack(&alloc, body->len, body->data);

	if (!r)
		return err_set(err, ERR_INVALID, "request is not a TTRPC envelope");
	call->method = find_method(s, r->service, r->method, &service_known);
	if (!service_known)
		return err_set(err, ERR_UNSUPPORTED, "service %.200s", r->service);
	if (!call->method)
		return err_set(err, ERR_UNSUPPORTED, "method %.200s", r->method);
	if (!call->method->request)
		return f->flags & FRAME_OPEN ? 0
					     : err_set(err, ERR_INVALID,
						       "%s is a stream, which the request does "
						       "not open",
						       call->method->name);
	call->traceparent = metadata_traceparent(r);
	if (r->timeout_nano > 0)
		call->deadline_ns = now_ns() + (uint64_t)r->timeout_nano;
	call->request = protobuf_c_message_unpack(call->method->request, &alloc, r->payload.len,
						  r->payload.data);
	if (!call->request)
		return err_set(err, ERR_INVALID, "%s: request does not decode as %s",
			       call->method->name, call->method->request->name);
	return 0;
}

/* Stream ids of a client are odd, and each is larger than the one before (ttrpc's PROTOCOL.md). */
static int check_frame(struct server_conn *sc, const struct frame *f, const struct buf *body,
		       struct err *err)
{
	if (!(f->stream & 1) || f->stream <= sc->last_stream)
		return err_set(err, ERR_INVALID, "stream id %u is not odd and above %u", f->stream,
			       sc->last_stream);
	sc->last_stream = f->stream;
	if (!body)
		return err_set(err, ERR_LIMIT, "request of %u bytes exceeds the limit of %u",
			       f->length, FRAME_MAX);
	return 0;
}

static int check_room(const struct call *call, struct err *err)
{
	if (call->method->at_once || call->conn->n_calls <= SERVER_CALLS_PER_CONN)
		return 0;
	return err_set(err, ERR_LIMIT, "more than %u requests without an answer",
		       SERVER_CALLS_PER_CONN);
}

static void on_frame(struct conn *c, const struct frame *f, const struct buf *body)
{
	struct server_conn *sc = container_of(c, struct server_conn, conn);
	struct call *call;
	struct err err;
	bool asked = sc->asks;

	if (f->type == FRAME_DATA)
		on_data(sc, f, body);
	if (f->type != FRAME_REQUEST)
		return;
	if (check_frame(sc, f, body, &err) < 0) {
		send_failure(sc, f->stream, &err);
		return;
	}
	sc->server->had_request = true;
	call = calloc(1, sizeof(*call));
	if (!call) {
		err_set(&err, ERR_NOMEM, "no memory for the request");
		send_failure(sc, f->stream, &err);
		return;
	}
	call->server = sc->server;
	call->conn = sc;
	call->stream = f->stream;
	call->arena.max = CALL_ARENA_MAX;
	list_init(&call->in_conn);
	list_init(&call->parked);
	list_init(&call->timed);
	list_add(&sc->calls, &call->in_conn);
	sc->n_calls++;
	timer_disarm(&sc->over);
	sc->asks = true;
	if (decode_request(call, sc->server, f, body, &err) < 0 || check_room(call, &err) < 0) {
		call_fail(call, &err);
		return;
	}
	if (!call->method->request) {
		sc->asks = asked;
		arena_deinit(&call->arena);
	}
	call->method->run(sc->server->owner, call);
}

/* --- connections -------------------------------------------------------------------------- */

/* Calls in flight go on without an addressee; containers are never tied to a connection. */
static void server_conn_free(struct server_conn *sc)
{
	struct call *call;

	while ((call = list_first(&sc->calls, struct call, in_conn))) {
		call->conn = NULL;
		list_del(&call->in_conn);
		if (call->on_peer_gone)
			call->on_peer_gone(call);
	}
	timer_disarm(&sc->over);
	conn_deinit(&sc->conn);
	list_del(&sc->in_server);
	sc->server->n_conns--;
	free(sc);
}

static void on_closed(struct conn *c)
{
	struct server_conn *sc = container_of(c, struct server_conn, conn);
	struct server *s = sc->server;

	server_conn_free(sc);
	if (!s->n_conns && s->on_alone)
		s->on_alone(s);
}

static void on_over(struct timer *t)
{
	struct server_conn *sc = container_of(t, struct server_conn, over);

	if (sc->conn.out.len)
		timer_arm(t, sc->server->loop, OVER_NS); /* it still has to read the end */
	else
		on_closed(&sc->conn);
}

/* Room for one more: the oldest peer that never asked anything goes. */
static bool make_room(struct server *s)
{
	list_for_each(node, &s->conns) {
		struct server_conn *sc = list_entry(node, struct server_conn, in_server);

		if (!sc->last_stream) {
			server_conn_free(sc);
			return true;
		}
	}
	return false;
}

static bool peer_allowed(int fd)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 && peer.uid == geteuid();
}

static void adopt(struct server *s, int fd_take)
{
	struct server_conn *sc = NULL;
	struct err err;

	if (peer_allowed(fd_take) && (s->n_conns < SERVER_CONNECTIONS_MAX || make_room(s)))
		sc = calloc(1, sizeof(*sc));
	if (!sc) {
		close(fd_take);
		return;
	}
	sc->server = s;
	sc->about = &s->about;
	list_init(&sc->calls);
	if (conn_init(&sc->conn, s->loop, fd_take, &err) < 0) {
		free(sc);
		return;
	}
	sc->conn.on_frame = on_frame;
	sc->conn.on_closed = on_closed;
	sc->conn.on_sent = on_sent;
	sc->over.on_fire = on_over;
	list_init(&sc->in_server);
	list_add(&s->conns, &sc->in_server);
	s->n_conns++;
}

/* Connections that wait in the backlog stay there meanwhile. */
static void pause_listening(struct server *s)
{
	source_want(&s->listener, 0);
	timer_arm(&s->listen_again, s->loop, LISTEN_AGAIN_NS);
}

static void on_listen_again(struct timer *t)
{
	source_want(&container_of(t, struct server, listen_again)->listener, EPOLLIN);
}

static void on_listener(struct source *src)
{
	struct server *s = container_of(src, struct server, listener);
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		adopt(s, fd);
	else if ((errno == EMFILE || errno == ENFILE) && make_room(s))
		return;
	else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		pause_listening(s);
}

int server_init(struct server *s, struct loop *loop, int fd_take, const struct method *methods,
		size_t n_methods, void *owner, struct err *err)
{
	*s = (struct server){ .loop = loop,
			      .fd = fd_take,
			      .methods = methods,
			      .n_methods = n_methods,
			      .owner = owner };
	list_init(&s->conns);
	list_init(&s->timed);
	s->listen_again.on_fire = on_listen_again;
	s->first_deadline.on_fire = on_first_deadline;
	if (fcntl(s->fd, F_SETFL, O_NONBLOCK) < 0) {
		err_sys(err, ERR_IO, "prepare the listening socket");
		fd_close(&s->fd);
		return -1;
	}
	if (source_init(&s->listener, loop, s->fd, EPOLLIN, on_listener, err) < 0) {
		fd_close(&s->fd);
		return -1;
	}
	return 0;
}

void server_stop_listening(struct server *s)
{
	timer_disarm(&s->listen_again);
	source_deinit(&s->listener);
	fd_close(&s->fd);
}

void server_deinit(struct server *s)
{
	server_stop_listening(s);
	timer_disarm(&s->first_deadline);
	list_for_each_safe(node, &s->conns)
		server_conn_free(list_entry(node, struct server_conn, in_server));
}
