/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/ttrpc/ttrpc_client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "proto/ttrpc.pb-c.h"
#include "runtime/base/str.h"

static void disconnect(struct client *c)
{
	if (c->connected)
		conn_deinit(&c->conn);
	c->connected = false;
	timer_disarm(&c->bound);
}

static void finish_client(struct client *c, const struct err *failed)
{
	c->busy = false;
	timer_disarm(&c->bound);
	c->on_done(c, failed);
}

static void no_answer(struct client *c, const struct err *failed)
{
	disconnect(c);
	finish_client(c, failed);
}

static void on_closed(struct conn *conn)
{
	struct client *c = container_of(conn, struct client, conn);
	struct err err;

	if (!c->busy) {
		disconnect(c);
		return;
	}
	err_set(&err, ERR_IO, "%s: connection closed", c->path);
	no_answer(c, &err);
}

static void on_bound(struct timer *t)
{
	struct client *c = container_of(t, struct client, bound);
	struct err err;

	err_set(&err, ERR_TIMEOUT, "%s: no answer", c->path);
	no_answer(c, &err);
}

/* NULL when the answer is a success; otherwise *err filled. */
static const struct err *response_error(const struct buf *body, struct err *err)
{
	Crossarch__TtrpcResponse *r;
	const struct err *failed = NULL;

	r = body ? crossarch__ttrpc_response__unpack(NULL, body->len, body->data) : NULL;
	if (!r || (r->status && r->status->code)) {
		err_set(err, ERR_PRECONDITION, "peer answered: %s",
			r ? r->status->message : "not a TTRPC response");
		failed = err;
	}
	if (r)
		crossarch__ttrpc_response__free_unpacked(r, NULL);
	return failed;
}

static void on_frame(struct conn *conn, const struct frame *f, const struct buf *body)
{
	struct client *c = container_of(conn, struct client, conn);
	struct err err;

	if (c->busy && f->type == FRAME_RESPONSE && f->stream == c->stream)
		finish_client(c, response_error(body, &err));
}

void client_init(struct client *c, struct loop *loop, const char *path,
		 void (*on_done)(struct client *, const struct err *failed))
{
	*c = (struct client){ .loop = loop, .path = path, .on_done = on_done };
	c->bound.on_fire = on_bound;
}

void client_deinit(struct client *c)
{
	disconnect(c);
	c->busy = false;
}

static int connect_path(const char *path, struct err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_sys(err, ERR_IO, "socket");
	if (!str_copy(addr.sun_path, sizeof(addr.sun_path), path))
		return err_set(err, ERR_INVALID, "socket path too long: %s", path);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_sys(err, ERR_IO, "connect to %s", path);
	return fd_steal(&fd);
}

static int ensure_connected(struct client *c, struct err *err)
{
	int fd;

	if (c->connected)
		return 0;
	fd = connect_path(c->path, err);
	if (fd < 0 || conn_init(&c->conn, c->loop, fd, err) < 0)
		return -1;
	c->conn.on_frame = on_frame;
	c->conn.on_closed = on_closed;
	c->connected = true;
	c->stream = 0;
	return 0;
}

int client_call(struct client *c, const char *service, const char *method, const void *payload,
		size_t n, uint64_t bound_ns, struct err *err)
{
	Crossarch__TtrpcRequest request = CROSSARCH__TTRPC_REQUEST__INIT;
	char service_copy[128], method_copy[64];

	ASSERT(!c->busy);
	if (ensure_connected(c, err) < 0)
		return -1;
	str_copy(service_copy, sizeof(service_copy), service);
	str_copy(method_copy, sizeof(method_copy), method);
	request.service = service_copy;
	request.method = method_copy;
	request.payload.data = (uint8_t *)(uintptr_t)payload;
	request.payload.len = n;
	request.timeout_nano = (int64_t)bound_ns;
	c->stream = c->stream ? c->stream + 2 : 1;
	if (conn_send(&c->conn, c->stream, FRAME_REQUEST, &request.base, err) < 0) {
		disconnect(c);
		return -1;
	}
	c->busy = true;
	timer_arm(&c->bound, c->loop, bound_ns);
	return 0;
}
