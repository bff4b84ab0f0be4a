/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>

#include "proto/any.pb-c.h"
#include "proto/ttrpc.pb-c.h"
#include "shim/host/tunnel.h"
#include "shim/ttrpc/server.h"
#include "tests/unit/stdio_bench.h"

/*
 * A client of streams, as containerd is one, beside the loop of a bench: it never blocks, and where
 * it has to wait the loop turns. What it says and hears are frames.
 */
#define STREAM_TEST_MAX 65536
struct streams {
	struct bench *bench;
	struct server server;
	struct tunnels tunnels;
	char socket[128];
	struct timer stop;
	bool at_once; /* what the client says comes before the loop may look */
};

static inline void streams_call(void *owner, struct call *call)
{
	tunnels_stream(&((struct streams *)owner)->tunnels, call);
}

static const struct method stream_methods[] = {
	{ "containerd.services.streaming.v1.Streaming", "Stream", NULL, streams_call, false },
};

static inline void streams_on_stop(struct timer *t)
{
	container_of(t, struct streams, stop)->bench->loop.quit = true;
}

/* Lets the loop run until it has nothing more to do right now. */
static inline void streams_turn(struct streams *s)
{
	struct err err;

	s->bench->loop.quit = false;
	timer_arm(&s->stop, &s->bench->loop, MS_TO_NS(2));
	assert_int_equal(loop_run(&s->bench->loop, &err), 0);
}

static inline void streams_begin(struct streams *s, struct bench *b)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct err err;

	*s = (struct streams){ .bench = b, .stop.on_fire = streams_on_stop };
	assert_true(str_copy(s->socket, sizeof(s->socket), bench_path(b, "socket")));
	strcpy(addr.sun_path, s->socket);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 16), 0);
	tunnels_init(&s->tunnels, s->socket);
	assert_int_equal(server_init(&s->server, &b->loop, fd, stream_methods,
				     ARRAY_SIZE(stream_methods), s, &err),
			 0);
}

static inline void streams_end(struct streams *s)
{
	stdio_deinit(&s->bench->io);
	timer_disarm(&s->stop);
	server_deinit(&s->server);
	assert_true(list_empty(&s->tunnels.all));
}

/* "ttrpc+unix://SOCKET?streaming_id=ID"; four results are valid at a time. */
static inline const char *streams_address(struct streams *s, const char *id)
{
	static char addresses[4][256];
	static unsigned int next;
	char *p = addresses[next++ % 4];

	assert_true(
		str_fmt(p, sizeof(addresses[0]), "ttrpc+unix://%s?streaming_id=%s", s->socket, id));
	return p;
}

/* --- frames ------------------------------------------------------------------------------- */

static inline int streams_dial(struct streams *s)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strcpy(addr.sun_path, s->socket);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	streams_turn(s);
	return fd;
}

static inline void streams_put(struct streams *s, int fd, const void *bytes, size_t n)
{
	const uint8_t *at = bytes;

	while (n) {
		ssize_t k = send(fd, at, n, MSG_NOSIGNAL);

		if (k < 0) {
			assert_int_equal(errno, EAGAIN);
			streams_turn(s);
			continue;
		}
		at += k;
		n -= (size_t)k;
	}
	if (!s->at_once)
		streams_turn(s);
}

static inline void streams_put_frame(struct streams *s, int fd, struct frame head,
				     const void *payload, size_t n)
{
	uint8_t *bytes = malloc(FRAME_HEADER + n);

	assert_non_null(bytes);
	head.length = (uint32_t)n;
	frame_encode(&head, bytes);
	if (n)
		memcpy(bytes + FRAME_HEADER, payload, n);
	streams_put(s, fd, bytes, FRAME_HEADER + n);
	free(bytes);
}

static inline void streams_request(struct streams *s, int fd, uint32_t stream, uint8_t flags)
{
	Crossarch__TtrpcRequest r = CROSSARCH__TTRPC_REQUEST__INIT;
	struct frame head = { .stream = stream, .type = FRAME_REQUEST, .flags = flags };
	uint8_t bytes[256];

	r.service = (char *)(uintptr_t)stream_methods[0].service;
	r.method = (char *)(uintptr_t)stream_methods[0].name;
	streams_put_frame(s, fd, head, bytes, crossarch__ttrpc_request__pack(&r, bytes));
}

/* An Any of @type around a message whose only field holds @value; NULL: the number @number. */
static inline void streams_say(struct streams *s, int fd, uint32_t stream, const char *type,
			       const void *value, size_t n, uint64_t number)
{
	Crossarch__Any any = CROSSARCH__ANY__INIT;
	struct frame head = { .stream = stream, .type = FRAME_DATA };
	uint8_t *inner = malloc(n + 16), *outer = malloc(n + 256);
	size_t at = 0;

	assert_true(inner && outer);
	inner[at++] = value ? 1 << 3 | 2 : 1 << 3;
	for (uint64_t v = value ? n : number;; v >>= 7) {
		inner[at++] = (uint8_t)(v < 0x80 ? v : v | 0x80);
		if (v < 0x80)
			break;
	}
	if (value)
		memcpy(inner + at, value, n);
	any.type_url = (char *)(uintptr_t)type;
	any.value.data = inner;
	any.value.len = at + (value ? n : 0);
	streams_put_frame(s, fd, head, outer, crossarch__any__pack(&any, outer));
	free(inner);
	free(outer);
}

static inline void streams_init(struct streams *s, int fd, const char *id)
{
	streams_say(s, fd, 1, "containerd.services.streaming.v1.StreamInit", id, strlen(id), 0);
}

static inline void streams_window(struct streams *s, int fd, uint64_t n)
{
	streams_say(s, fd, 1, "containerd.types.transfer.WindowUpdate", NULL, 0, n);
}

static inline void streams_data(struct streams *s, int fd, const void *bytes, size_t n)
{
	streams_say(s, fd, 1, "containerd.types.transfer.Data", bytes, n, 0);
}

static inline void streams_finish(struct streams *s, int fd)
{
	struct frame head = { .stream = 1,
			      .type = FRAME_DATA,
			      .flags = FRAME_CLOSED | FRAME_NO_DATA };

	streams_put_frame(s, fd, head, NULL, 0);
}

/* What was heard: a frame, and of a message of data or window the contents. */
struct heard {
	struct frame frame;
	int code; /* of a response */
	char type[64];
	uint8_t bytes[STREAM_TEST_MAX];
	size_t n;
	uint64_t number;
};

static inline bool streams_peek(int fd, size_t n)
{
	static uint8_t bytes[FRAME_HEADER + STREAM_TEST_MAX];

	return recv(fd, bytes, n, MSG_PEEK | MSG_DONTWAIT) == (ssize_t)n;
}

static inline void heard_parse(struct heard *h, const uint8_t *bytes)
{
	Crossarch__TtrpcResponse *r;
	Crossarch__Any *any;
	size_t at = 1;

	if (h->frame.type == FRAME_RESPONSE) {
		r = crossarch__ttrpc_response__unpack(NULL, h->frame.length, bytes);
		assert_non_null(r);
		h->code = r->status ? r->status->code : 0;
		crossarch__ttrpc_response__free_unpacked(r, NULL);
		return;
	}
	any = crossarch__any__unpack(NULL, h->frame.length, bytes);
	assert_non_null(any);
	assert_true(str_copy(h->type, sizeof(h->type), any->type_url));
	if (any->value.len) {
		for (unsigned int shift = 0;; shift += 7) {
			h->number |= (uint64_t)(any->value.data[at] & 0x7f) << shift;
			if (any->value.data[at++] < 0x80)
				break;
		}
		h->n = any->value.len - at;
		memcpy(h->bytes, any->value.data + at, h->n);
	}
	crossarch__any__free_unpacked(any, NULL);
}

/* Nothing has come, nor does anything that is on its way already. */
static inline bool streams_silent(struct streams *s, int fd)
{
	for (int i = 0; i < 10; i++)
		streams_turn(s);
	return !streams_peek(fd, 1);
}

/* The next frame, whenever it comes. */
static inline bool streams_hear(struct streams *s, int fd, struct heard *h)
{
	static uint8_t bytes[FRAME_HEADER + STREAM_TEST_MAX];
	size_t want = FRAME_HEADER;

	memset(h, 0, sizeof(*h));
	for (int i = 0; i < 10000; i++) {
		if (!streams_peek(fd, want)) {
			streams_turn(s);
			continue;
		}
		if (want == FRAME_HEADER) {
			assert_int_equal(recv(fd, bytes, FRAME_HEADER, MSG_PEEK), FRAME_HEADER);
			frame_decode(bytes, &h->frame);
			want += h->frame.length;
			assert_true(want <= sizeof(bytes));
			if (h->frame.length)
				continue;
		}
		assert_int_equal(recv(fd, bytes, want, 0), want);
		if (h->frame.length)
			heard_parse(h, bytes + FRAME_HEADER);
		return true;
	}
	return false;
}

/* Opens stream @id as containerd does. */
static inline int streams_open_one(struct streams *s, const char *id)
{
	int fd = streams_dial(s);
	struct heard *h = calloc(1, sizeof(*h));

	streams_request(s, fd, 1, FRAME_OPEN);
	streams_init(s, fd, id);
	assert_true(streams_hear(s, fd, h));
	assert_int_equal(h->frame.type, FRAME_DATA);
	assert_int_equal(h->frame.flags, 0);
	assert_string_equal(h->type, "google.protobuf.Empty");
	free(h);
	return fd;
}

static inline bool streams_closed(const struct heard *h)
{
	return h->frame.type == FRAME_DATA && h->frame.flags == (FRAME_CLOSED | FRAME_NO_DATA) &&
	       !h->frame.length;
}
