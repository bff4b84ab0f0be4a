/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "proto/ttrpc.pb-c.h"
#include "runtime/base/fd.h"
#include "runtime/containerd/connect.h"
#include "shim/ttrpc/frame.h"
#include "tests/tools/faults/faults.h"

struct answer {
	struct list in_peer;
	uint32_t stream;
	size_t n;
	uint8_t bytes[];
};

int peer_open(const char *path, struct peer *ret, struct err *err)
{
	*ret = (struct peer){ .fd = -1, .in = BUF_INIT(2 * FRAME_MAX) };
	list_init(&ret->answers);
	return unix_connect(path, 5000, &ret->fd, err);
}

void peer_close(struct peer *p)
{
	struct answer *a;

	while (p->answers.next && (a = list_first(&p->answers, struct answer, in_peer))) {
		list_del(&a->in_peer);
		free(a);
	}
	buf_deinit(&p->in);
	fd_close(&p->fd);
}

int peer_send(struct peer *p, const char *method, const ProtobufCMessage *request,
	      unsigned int bound_ms, uint32_t *ret_stream, struct err *err)
{
	Crossarch__TtrpcRequest r = CROSSARCH__TTRPC_REQUEST__INIT;
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	struct frame f = { .type = FRAME_REQUEST };
	uint8_t *bytes;

	if (p->fd < 0)
		return err_set(err, ERR_IO, "%s: not connected", method);
	r.service = (char *)(uintptr_t) "containerd.task.v2.Task";
	r.method = (char *)(uintptr_t)method;
	r.timeout_nano = (int64_t)bound_ms * 1000000;
	r.payload.len = protobuf_c_message_get_packed_size(request);
	r.payload.data = arena_alloc(&arena, r.payload.len + 1);
	ASSERT(r.payload.data);
	protobuf_c_message_pack(request, r.payload.data);
	p->last_stream = p->last_stream ? p->last_stream + 2 : 1;
	f.stream = *ret_stream = p->last_stream;
	f.length = (uint32_t)crossarch__ttrpc_request__get_packed_size(&r);
	bytes = arena_alloc(&arena, FRAME_HEADER + f.length);
	ASSERT(bytes);
	frame_encode(&f, bytes);
	crossarch__ttrpc_request__pack(&r, bytes + FRAME_HEADER);
	if (send(p->fd, bytes, FRAME_HEADER + f.length, MSG_NOSIGNAL) !=
	    (ssize_t)(FRAME_HEADER + f.length))
		return err_sys(err, ERR_IO, "send %s", method);
	return 0;
}

static void take_frames(struct peer *p)
{
	struct frame f;

	while (p->in.len >= FRAME_HEADER) {
		struct answer *a;

		frame_decode(p->in.data, &f);
		if (p->in.len < FRAME_HEADER + f.length)
			return;
		a = calloc(1, sizeof(*a) + f.length);
		ASSERT(a);
		a->stream = f.stream;
		a->n = f.length;
		memcpy(a->bytes, p->in.data + FRAME_HEADER, f.length);
		list_init(&a->in_peer);
		list_add(&p->answers, &a->in_peer);
		buf_consume(&p->in, FRAME_HEADER + f.length);
	}
}

static struct answer *find_answer(struct peer *p, uint32_t stream)
{
	list_for_each(node, &p->answers) {
		struct answer *a = list_entry(node, struct answer, in_peer);

		if (a->stream == stream)
			return a;
	}
	return NULL;
}

static int receive(struct peer *p, uint64_t until, struct err *err)
{
	struct pollfd poll_fd = { .fd = p->fd, .events = POLLIN };
	uint64_t now = now_ms();
	uint8_t block[65536];
	ssize_t n;

	if (now >= until || poll(&poll_fd, 1, (int)(until - now)) == 0)
		return err_set(err, ERR_TIMEOUT, "no answer");
	n = recv(p->fd, block, sizeof(block), MSG_DONTWAIT);
	if (n <= 0)
		return err_set(err, ERR_IO, "the shim closed the connection");
	if (buf_add(&p->in, block, (size_t)n, err) < 0)
		return -1;
	take_frames(p);
	return 0;
}

static int answer_take(struct answer *a, struct buf *ret_reply, struct err *err)
{
	Crossarch__TtrpcResponse *r = crossarch__ttrpc_response__unpack(NULL, a->n, a->bytes);
	int rc = 0;

	list_del(&a->in_peer);
	free(a);
	if (!r)
		return err_set(err, ERR_INVALID, "not a response");
	if (r->status && r->status->code) {
		rc = err_set(err, ERR_PRECONDITION, "%s", r->status->message);
		err->errnum = r->status->code;
	} else if (ret_reply) {
		rc = buf_add(ret_reply, r->payload.data, r->payload.len, err);
	}
	crossarch__ttrpc_response__free_unpacked(r, NULL);
	return rc;
}

int peer_wait(struct peer *p, uint32_t stream, unsigned int bound_ms, struct buf *ret_reply,
	      struct err *err)
{
	uint64_t until = now_ms() + bound_ms;
	struct answer *a;

	if (p->fd < 0)
		return err_set(err, ERR_IO, "not connected");
	while (!(a = find_answer(p, stream)))
		if (receive(p, until, err) < 0)
			return -1;
	return answer_take(a, ret_reply, err);
}

int peer_ask(struct peer *p, const char *method, const ProtobufCMessage *request,
	     struct buf *ret_reply, struct err *err)
{
	uint32_t stream;

	if (peer_send(p, method, request, 0, &stream, err) < 0)
		return -1;
	return peer_wait(p, stream, RPC_BOUND_MS, ret_reply, err) < 0 ? err_in(err, "%s", method)
								      : 0;
}
