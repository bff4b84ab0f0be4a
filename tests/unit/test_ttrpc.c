/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/task.pb-c.h"
#include "proto/ttrpc.pb-c.h"
#include "runtime/base/mem.h"
#include "shim/ttrpc/server.h"

/* The server over a real socket: frames split anywhere, oversized, garbage, peers that vanish. */

struct fixture {
	struct loop loop;
	struct server server;
	struct timer stop;
	char path[64];
	struct call *kept;
	struct list waiting, parked;
	unsigned int kept_n, gone_n;
	struct call *stream; /* the latest one that is open */
	unsigned int messages, half_closed, streams_gone, sent_n;
	char last[64];
};

/* --- system calls that fail while a test says so ------------------------------------------ */

static int accept_fails, recv_fails; /* errno */
static unsigned int failed_calls;

int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	if (accept_fails) {
		failed_calls++;
		errno = accept_fails;
		return -1;
	}
	return (int)syscall(SYS_accept4, fd, addr, len, flags);
}

ssize_t recv(int fd, void *to, size_t n, int flags)
{
	if (recv_fails) {
		failed_calls++;
		errno = recv_fails;
		return -1;
	}
	return syscall(SYS_recvfrom, fd, to, n, flags, NULL, NULL);
}

/* --- a server ----------------------------------------------------------------------------- */

static void answer_now(void *owner, struct call *call)
{
	const Crossarch__ProcessRequest *req = call->request;
	Crossarch__PidResponse reply = CROSSARCH__PID_RESPONSE__INIT;

	(void)owner;
	reply.pid = (uint32_t)strlen(req->id);
	call_reply(call, &reply.base);
}

static void on_gone(struct call *call)
{
	struct fixture *f = (struct fixture *)(uintptr_t)call->request;

	f->gone_n++;
	f->kept_n--;
	call_reply(call, NULL);
}

static void keep(void *owner, struct call *call)
{
	struct fixture *f = owner;

	f->kept = call;
	f->kept_n++;
	call->request = f;
	call->on_peer_gone = on_gone;
}

static void wait_for_good(void *owner, struct call *call)
{
	struct fixture *f = owner;
	struct err err;

	if (call_wait(call, &f->waiting, &err) < 0)
		call_fail(call, &err);
}

static void park(void *owner, struct call *call)
{
	call_park(call, &((struct fixture *)owner)->parked);
}

static void answer_all(struct list *calls)
{
	Crossarch__PidResponse reply = CROSSARCH__PID_RESPONSE__INIT;

	reply.pid = 7;
	while (!list_empty(calls))
		call_reply(list_first(calls, struct call, parked), &reply.base);
}

/* --- a stream that says again what it hears; "end" and "fail" end it, "leave" does not answer - */

static void on_message(struct call *call, const uint8_t *bytes, size_t n)
{
	struct fixture *f = call->keeper;
	struct err err = ERR_INIT;

	f->messages++;
	snprintf(f->last, sizeof(f->last), "%.*s", (int)n, (const char *)bytes);
	if (strcmp(f->last, "end") == 0) {
		call_end(call);
	} else if (strcmp(f->last, "fail") == 0) {
		err_set(&err, ERR_NOT_FOUND, "as asked");
		call_fail(call, &err);
	} else if (strcmp(f->last, "close") == 0) {
		call_close(call);
	} else {
		assert_int_equal(call_reserve(call, n, &err), 0);
		assert_int_equal(call_send_message(call, bytes, n, &err), 0);
	}
}

static void on_half_closed(struct call *call)
{
	struct fixture *f = call->keeper;

	f->half_closed++;
	call_end(call);
}

static void on_sent(struct call *call)
{
	struct fixture *f = call->keeper;

	assert_false(call_unsent(call));
	f->sent_n++;
}

static void on_stream_gone(struct call *call)
{
	struct fixture *f = call->keeper;

	f->streams_gone++;
	call_end(call);
}

static const struct stream_events stream_events = { on_message, on_half_closed, on_sent };

static void open_stream(void *owner, struct call *call)
{
	struct fixture *f = owner;

	assert_null(call->request);
	f->stream = call;
	call->keeper = f;
	call->stream_events = &stream_events;
	call->on_peer_gone = on_stream_gone;
}

static const struct method methods[] = {
	{ "test.Service", "Length", &crossarch__process_request__descriptor, answer_now, true },
	{ "test.Service", "Keep", &crossarch__process_request__descriptor, keep, false },
	{ "test.Service", "Wait", &crossarch__process_request__descriptor, wait_for_good, true },
	{ "test.Service", "Park", &crossarch__process_request__descriptor, park, false },
	{ "test.Service", "Stream", NULL, open_stream, false },
};

static void on_stop(struct timer *t)
{
	container_of(t, struct fixture, stop)->loop.quit = true;
}

/* Lets the loop run until it has nothing more to do right now. */
static void turn(struct fixture *f)
{
	struct err err;

	f->loop.quit = false;
	timer_arm(&f->stop, &f->loop, MS_TO_NS(15));
	assert_int_equal(loop_run(&f->loop, &err), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct err err;

	assert_non_null(f);
	strcpy(f->path, "/tmp/crossarch-test-XXXXXX");
	close(mkstemp(f->path));
	unlink(f->path);
	strcpy(addr.sun_path, f->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(loop_init(&f->loop, &err), 0);
	f->stop.on_fire = on_stop;
	assert_int_equal(
		server_init(&f->server, &f->loop, fd, methods, ARRAY_SIZE(methods), f, &err), 0);
	list_init(&f->waiting);
	list_init(&f->parked);
	accept_fails = recv_fails = 0;
	failed_calls = 0;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	accept_fails = recv_fails = 0;
	answer_all(&f->waiting);
	answer_all(&f->parked);
	server_deinit(&f->server);
	timer_disarm(&f->stop);
	loop_deinit(&f->loop);
	unlink(f->path);
	free(f);
	return 0;
}

static int dial(const struct fixture *f)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval bound = { .tv_sec = 5 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, f->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound));
	return fd;
}

/* The metadata of the requests that are made: pairs of key and value, up to NULL. */
struct wish {
	uint64_t timeout_ns;
	const char *const *metadata;
};

#define METADATA_MAX 8

static size_t add_metadata(const char *const *words, Crossarch__TtrpcKeyValue *room,
			   Crossarch__TtrpcKeyValue **list)
{
	size_t n = 0;

	for (; words && words[0]; words += 2, n++) {
		assert_true(n < METADATA_MAX);
		crossarch__ttrpc_key_value__init(&room[n]);
		room[n].key = (char *)(uintptr_t)words[0];
		room[n].value = (char *)(uintptr_t)words[1];
		list[n] = &room[n];
	}
	return n;
}

static size_t make_wish(uint8_t *out, uint32_t stream, const char *service, const char *method,
			const char *id, const struct wish *wish)
{
	Crossarch__TtrpcKeyValue room[METADATA_MAX], *list[METADATA_MAX];
	Crossarch__ProcessRequest inner = CROSSARCH__PROCESS_REQUEST__INIT;
	Crossarch__TtrpcRequest outer = CROSSARCH__TTRPC_REQUEST__INIT;
	struct frame frame = { .stream = stream, .type = FRAME_REQUEST };
	uint8_t payload[512];

	inner.id = (char *)(uintptr_t)id;
	outer.service = (char *)(uintptr_t)service;
	outer.method = (char *)(uintptr_t)method;
	outer.timeout_nano = (int64_t)wish->timeout_ns;
	outer.metadata = list;
	outer.n_metadata = add_metadata(wish->metadata, room, list);
	outer.payload.data = payload;
	outer.payload.len = crossarch__process_request__pack(&inner, payload);
	frame.length = (uint32_t)crossarch__ttrpc_request__pack(&outer, out + FRAME_HEADER);
	frame_encode(&frame, out);
	return FRAME_HEADER + frame.length;
}

static size_t make_timed(uint8_t *out, uint32_t stream, const char *service, const char *method,
			 const char *id, uint64_t timeout_ns)
{
	const struct wish wish = { .timeout_ns = timeout_ns };

	return make_wish(out, stream, service, method, id, &wish);
}

static size_t make_request(uint8_t *out, uint32_t stream, const char *service, const char *method,
			   const char *id)
{
	return make_timed(out, stream, service, method, id, 0);
}

/* Reads one response; its status code, and the pid of the reply when that is 0. */
static int read_response(int fd, uint32_t stream, uint32_t *pid)
{
	uint8_t bytes[2048];
	Crossarch__TtrpcResponse *r;
	Crossarch__PidResponse *reply;
	struct frame frame;
	int code;

	assert_int_equal(recv(fd, bytes, FRAME_HEADER, MSG_WAITALL), FRAME_HEADER);
	frame_decode(bytes, &frame);
	assert_int_equal(frame.type, FRAME_RESPONSE);
	assert_int_equal(frame.stream, stream);
	assert_true(frame.length <= sizeof(bytes));
	if (frame.length)
		assert_int_equal(recv(fd, bytes, frame.length, MSG_WAITALL), frame.length);
	r = crossarch__ttrpc_response__unpack(NULL, frame.length, bytes);
	assert_non_null(r);
	code = r->status ? r->status->code : 0;
	if (!code && pid) {
		reply = crossarch__pid_response__unpack(NULL, r->payload.len, r->payload.data);
		assert_non_null(reply);
		*pid = reply->pid;
		crossarch__pid_response__free_unpacked(reply, NULL);
	}
	crossarch__ttrpc_response__free_unpacked(r, NULL);
	return code;
}

static void test_split_at_every_byte(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[1024];
	int fd = dial(f);
	uint32_t stream = 1, pid = 0;
	size_t n = make_request(bytes, 1, "test.Service", "Length", "abcde");

	for (size_t cut = 1; cut < n; cut++, stream += 2) {
		n = make_request(bytes, stream, "test.Service", "Length", "abcde");
		assert_int_equal(write(fd, bytes, cut), cut);
		turn(f);
		assert_int_equal(write(fd, bytes + cut, n - cut), n - cut);
		turn(f);
		assert_int_equal(read_response(fd, stream, &pid), 0);
		assert_int_equal(pid, 5);
	}
	close(fd);
}

static void test_two_in_one_read(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[2048];
	int fd = dial(f);
	uint32_t pid = 0;
	size_t n = make_request(bytes, 1, "test.Service", "Length", "a");

	n += make_request(bytes + n, 3, "test.Service", "Length", "bb");
	assert_int_equal(write(fd, bytes, n), n);
	turn(f);
	assert_int_equal(read_response(fd, 1, &pid), 0);
	assert_int_equal(pid, 1);
	assert_int_equal(read_response(fd, 3, &pid), 0);
	assert_int_equal(pid, 2);
	close(fd);
}

static void test_unknown_service_and_method(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[2048];
	int fd = dial(f);
	size_t n = make_request(bytes, 1, "no.Service", "Length", "a");

	n += make_request(bytes + n, 3, "test.Service", "Nope", "a");
	assert_int_equal(write(fd, bytes, n), n);
	turn(f);
	assert_int_equal(read_response(fd, 1, NULL), 12);
	assert_int_equal(read_response(fd, 3, NULL), 12);
	close(fd);
}

static void test_stream_ids(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[2048];
	int fd = dial(f);
	size_t n = make_request(bytes, 2, "test.Service", "Length", "a");

	n += make_request(bytes + n, 5, "test.Service", "Length", "a");
	n += make_request(bytes + n, 5, "test.Service", "Length", "a");
	assert_int_equal(write(fd, bytes, n), n);
	turn(f);
	assert_int_equal(read_response(fd, 2, NULL), 3);
	assert_int_equal(read_response(fd, 5, NULL), 0);
	assert_int_equal(read_response(fd, 5, NULL), 3);
	close(fd);
}

static void test_oversized_is_discarded(void **state)
{
	struct fixture *f = *state;
	struct frame frame = { .length = FRAME_MAX + 1, .stream = 1, .type = FRAME_REQUEST };
	uint8_t bytes[1024], *big = calloc(1, FRAME_MAX + 1);
	int fd = dial(f);
	size_t sent = 0;

	assert_non_null(big);
	frame_encode(&frame, bytes);
	assert_int_equal(write(fd, bytes, FRAME_HEADER), FRAME_HEADER);
	while (sent < FRAME_MAX + 1) {
		ssize_t n = send(fd, big + sent, FRAME_MAX + 1 - sent, MSG_DONTWAIT);

		sent += n > 0 ? (size_t)n : 0;
		turn(f);
	}
	assert_int_equal(read_response(fd, 1, NULL), 8);
	sent = make_request(bytes, 3, "test.Service", "Length", "a");
	assert_int_equal(write(fd, bytes, sent), sent);
	turn(f);
	assert_int_equal(read_response(fd, 3, NULL), 0);
	free(big);
	close(fd);
}

static void test_garbage_payload(void **state)
{
	struct fixture *f = *state;
	struct frame frame = { .length = 4, .stream = 1, .type = FRAME_REQUEST };
	uint8_t bytes[FRAME_HEADER + 4] = { 0 };
	int fd = dial(f);

	frame_encode(&frame, bytes);
	memset(bytes + FRAME_HEADER, 0xff, 4);
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	turn(f);
	assert_int_equal(read_response(fd, 1, NULL), 3);
	close(fd);
}

static void test_peer_vanishes(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[1024];
	int fd = dial(f);
	size_t n = make_request(bytes, 1, "test.Service", "Keep", "a");

	assert_int_equal(write(fd, bytes, n), n);
	turn(f);
	assert_int_equal(f->kept_n, 1);
	close(fd);
	turn(f);
	assert_int_equal(f->kept_n, 0);
	assert_int_equal(f->gone_n, 1);
	assert_int_equal(f->server.n_conns, 0);
}

static void test_half_a_frame_then_close(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[1024];
	int fd = dial(f);
	size_t n = make_request(bytes, 1, "test.Service", "Length", "abc");

	assert_int_equal(write(fd, bytes, n - 2), n - 2);
	turn(f);
	close(fd);
	turn(f);
	assert_int_equal(f->server.n_conns, 0);
}

static void test_silent_peers_make_room(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[1024];
	int fds[SERVER_CONNECTIONS_MAX + 8];
	uint32_t pid;
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = dial(f);
		if (i % 8 == 7)
			turn(f);
	}
	turn(f);
	assert_true(f->server.n_conns <= SERVER_CONNECTIONS_MAX);
	n = make_request(bytes, 1, "test.Service", "Length", "abc");
	assert_int_equal(write(fds[ARRAY_SIZE(fds) - 1], bytes, n), n);
	turn(f);
	assert_int_equal(read_response(fds[ARRAY_SIZE(fds) - 1], 1, &pid), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	for (int i = 0; i < 100 && f->server.n_conns; i++)
		turn(f);
	assert_int_equal(f->server.n_conns, 0);
}

/* The server runs in this thread: nothing here may wait for it without letting it run. */
static void put(struct fixture *f, int fd, const uint8_t *bytes, size_t n)
{
	size_t sent = 0;

	while (sent < n) {
		ssize_t k = send(fd, bytes + sent, n - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (k < 0)
			turn(f);
		sent += k > 0 ? (size_t)k : 0;
	}
}

static int take_response(struct fixture *f, int fd, uint32_t stream, uint32_t *pid)
{
	uint8_t bytes[2048];
	struct frame frame = { .length = 0 };
	ssize_t n = 0;

	for (int i = 0; i < 2000 && n < (ssize_t)(FRAME_HEADER + frame.length); i++) {
		n = syscall(SYS_recvfrom, fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT, NULL,
			    NULL);
		if (n >= FRAME_HEADER)
			frame_decode(bytes, &frame);
		if (n < (ssize_t)(FRAME_HEADER + frame.length))
			turn(f);
	}
	return read_response(fd, stream, pid);
}

/* Waits of any number, and other calls go on being answered; all of them are told in the end. */
static void test_thousands_wait(void **state)
{
	enum { WAITS = 3 * SERVER_CALLS_PER_CONN };
	struct fixture *f = *state;
	uint8_t bytes[256];
	int fd = dial(f), other = dial(f);
	uint32_t pid = 0, stream = 1;
	size_t n;

	for (unsigned int i = 0; i < WAITS; i++, stream += 2) {
		n = make_request(bytes, stream, "test.Service", "Wait", "abc");
		put(f, fd, bytes, n);
	}
	for (int i = 0; i < 2000 && f->server.n_waits < WAITS; i++)
		turn(f);
	assert_int_equal(f->server.n_waits, WAITS);
	n = make_request(bytes, stream, "test.Service", "Length", "abc");
	put(f, fd, bytes, n);
	turn(f);
	assert_int_equal(take_response(f, fd, stream, &pid), 0);
	assert_int_equal(pid, 3);
	n = make_request(bytes, 1, "test.Service", "Wait", "abc");
	put(f, other, bytes, n);
	for (int i = 0; i < 2000 && f->server.n_waits <= WAITS; i++)
		turn(f);
	answer_all(&f->waiting);
	for (stream = 1; stream < 2 * WAITS; stream += 2)
		assert_int_equal(take_response(f, fd, stream, &pid), 0);
	assert_int_equal(pid, 7);
	assert_int_equal(take_response(f, other, 1, &pid), 0);
	assert_int_equal(f->server.n_waits, 0);
	close(fd);
	close(other);
}

/* As many as are kept; what is answered at once does not suffer from them. */
static void test_kept_are_bounded(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[256];
	int fd = dial(f);
	uint32_t stream = 1;
	size_t n;

	for (unsigned int i = 0; i <= SERVER_CALLS_PER_CONN; i++, stream += 2) {
		n = make_request(bytes, stream, "test.Service", "Park", "abc");
		put(f, fd, bytes, n);
	}
	assert_int_equal(take_response(f, fd, stream - 2, NULL), 8);
	n = make_request(bytes, stream, "test.Service", "Length", "abc");
	put(f, fd, bytes, n);
	turn(f);
	assert_int_equal(take_response(f, fd, stream, NULL), 0);
	close(fd);
}

/* What is too many is refused itself; nothing else is. */
static void test_waits_are_bounded(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[256];
	int fd = dial(f);
	size_t n;

	f->server.n_waits = SERVER_WAITS_MAX - 1;
	for (uint32_t stream = 1; stream < 7; stream += 2) {
		n = make_request(bytes, stream, "test.Service", stream == 5 ? "Length" : "Wait",
				 "abc");
		assert_int_equal(write(fd, bytes, n), n);
	}
	turn(f);
	assert_int_equal(read_response(fd, 3, NULL), 8);
	assert_int_equal(read_response(fd, 5, NULL), 0);
	answer_all(&f->waiting);
	assert_int_equal(read_response(fd, 1, NULL), 0);
	assert_int_equal(f->server.n_waits, SERVER_WAITS_MAX - 1);
	close(fd);
}

static void test_deadlines_of_parked(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[1024];
	int fd = dial(f);
	size_t n = make_timed(bytes, 1, "test.Service", "Wait", "abc", S_TO_NS(3600));

	n += make_timed(bytes + n, 3, "test.Service", "Wait", "abc", MS_TO_NS(20));
	n += make_timed(bytes + n, 5, "test.Service", "Park", "abc", MS_TO_NS(30));
	assert_int_equal(write(fd, bytes, n), n);
	for (int i = 0; i < 500 && list_empty(&f->parked); i++)
		turn(f);
	for (int i = 0; i < 500 && !(f->server.n_waits == 1 && list_empty(&f->parked)); i++)
		turn(f);
	assert_int_equal(read_response(fd, 3, NULL), 4);
	assert_int_equal(read_response(fd, 5, NULL), 4);
	assert_int_equal(f->server.n_waits, 1);
	answer_all(&f->waiting);
	assert_int_equal(read_response(fd, 1, NULL), 0);
	close(fd);
}

/* No descriptor, no memory: asked again ten times a second, and whoever waits is served then. */
static void test_accept_fails(void **state)
{
	static const int errors[] = { EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM };
	struct fixture *f = *state;
	uint8_t bytes[256];
	uint32_t pid;
	size_t n;
	int fd;

	for (size_t e = 0; e < ARRAY_SIZE(errors); e++) {
		accept_fails = errors[e];
		failed_calls = 0;
		fd = dial(f);
		for (int i = 0; i < 20; i++)
			turn(f);
		assert_in_range(failed_calls, 1, 1000); /* spinning: 100,000 and more */
		accept_fails = 0;
		n = make_request(bytes, 1, "test.Service", "Length", "abc");
		assert_int_equal(write(fd, bytes, n), n);
		for (int i = 0;
		     i < 1000 && !poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0); i++)
			turn(f);
		assert_int_equal(read_response(fd, 1, &pid), 0);
		close(fd);
	}
}

static void test_receive_lacks_memory(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[256];
	int fd = dial(f);
	size_t n = make_request(bytes, 1, "test.Service", "Length", "abc");
	uint32_t pid;

	turn(f);
	recv_fails = ENOMEM;
	assert_int_equal(write(fd, bytes, n), n);
	for (int i = 0; i < 10; i++)
		turn(f);
	assert_in_range(failed_calls, 1, 1000); /* spinning: 100,000 and more */
	recv_fails = 0;
	for (int i = 0; i < 1000 && !poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0);
	     i++)
		turn(f);
	assert_int_equal(read_response(fd, 1, &pid), 0);
	close(fd);
}

/* --- streams ------------------------------------------------------------------------------ */

static void put_frame(struct fixture *f, int fd, uint32_t stream, uint8_t type, uint8_t flags,
		      const char *text)
{
	uint8_t bytes[1024];
	struct frame frame = {
		.length = (uint32_t)strlen(text), .stream = stream, .type = type, .flags = flags
	};

	frame_encode(&frame, bytes);
	memcpy(bytes + FRAME_HEADER, text, frame.length);
	put(f, fd, bytes, FRAME_HEADER + frame.length);
	turn(f);
}

static void open_one(struct fixture *f, int fd, uint32_t stream, uint8_t flags)
{
	uint8_t bytes[1024];
	size_t n = make_request(bytes, stream, "test.Service", "Stream", "a");

	bytes[9] = flags;
	put(f, fd, bytes, n);
	turn(f);
}

static void expect_data(struct fixture *f, int fd, uint32_t stream, uint8_t flags, const char *text)
{
	uint8_t bytes[1024];
	struct frame frame;

	turn(f);
	assert_int_equal(recv(fd, bytes, FRAME_HEADER, MSG_DONTWAIT), FRAME_HEADER);
	frame_decode(bytes, &frame);
	assert_int_equal(frame.type, FRAME_DATA);
	assert_int_equal(frame.stream, stream);
	assert_int_equal(frame.flags, flags);
	assert_int_equal(frame.length, strlen(text));
	if (frame.length)
		assert_int_equal(recv(fd, bytes, frame.length, MSG_DONTWAIT), frame.length);
	assert_memory_equal(bytes, text, frame.length);
}

static void expect_nothing(struct fixture *f, int fd)
{
	uint8_t byte;

	turn(f);
	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

/* Messages both ways, several streams at once, a call between them; each end as it is meant. */
static void test_streams(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[1024];
	int fd = dial(f);
	uint32_t pid;

	open_one(f, fd, 1, FRAME_OPEN);
	open_one(f, fd, 3, FRAME_OPEN);
	put_frame(f, fd, 3, FRAME_DATA, 0, "three");
	put_frame(f, fd, 1, FRAME_DATA, 0, "one");
	expect_data(f, fd, 3, 0, "three");
	expect_data(f, fd, 1, 0, "one");
	put(f, fd, bytes, make_request(bytes, 5, "test.Service", "Length", "abc"));
	assert_int_equal(take_response(f, fd, 5, &pid), 0);
	put_frame(f, fd, 1, FRAME_DATA, 0, "");
	expect_data(f, fd, 1, 0, "");
	put_frame(f, fd, 1, FRAME_DATA, FRAME_NO_DATA, "");
	expect_nothing(f, fd);
	put_frame(f, fd, 1, FRAME_DATA, FRAME_CLOSED, "last");
	expect_data(f, fd, 1, 0, "last");
	expect_data(f, fd, 1, FRAME_CLOSED | FRAME_NO_DATA, "");
	put_frame(f, fd, 3, FRAME_DATA, FRAME_CLOSED | FRAME_NO_DATA, "");
	expect_data(f, fd, 3, FRAME_CLOSED | FRAME_NO_DATA, "");
	assert_int_equal(f->half_closed, 2);
	assert_int_equal(f->streams_gone, 0);
	close(fd);
}

/* Ended by us: what was under way then is thrown away, without an answer. */
static void test_stream_ends(void **state)
{
	struct fixture *f = *state;
	int fd = dial(f);

	open_one(f, fd, 1, FRAME_OPEN);
	put_frame(f, fd, 1, FRAME_DATA, 0, "end");
	expect_data(f, fd, 1, FRAME_CLOSED | FRAME_NO_DATA, "");
	put_frame(f, fd, 1, FRAME_DATA, 0, "late");
	put_frame(f, fd, 1, FRAME_DATA, FRAME_CLOSED | FRAME_NO_DATA, "");
	expect_nothing(f, fd);
	open_one(f, fd, 3, FRAME_OPEN);
	put_frame(f, fd, 3, FRAME_DATA, 0, "fail");
	assert_int_equal(take_response(f, fd, 3, NULL), 5);
	open_one(f, fd, 5, FRAME_OPEN);
	put_frame(f, fd, 5, FRAME_DATA, 0, "close");
	expect_data(f, fd, 5, FRAME_CLOSED | FRAME_NO_DATA, "");
	put_frame(f, fd, 5, FRAME_DATA, FRAME_CLOSED, "end");
	expect_nothing(f, fd);
	assert_int_equal(f->messages, 4);
	assert_int_equal(f->half_closed, 0);
	close(fd);
}

static void test_streams_left(void **state)
{
	struct fixture *f = *state;
	int fd = dial(f);

	open_one(f, fd, 1, FRAME_OPEN);
	open_one(f, fd, 3, FRAME_OPEN);
	put_frame(f, fd, 3, FRAME_DATA, 0, "close");
	close(fd);
	turn(f);
	assert_int_equal(f->streams_gone, 2);
	assert_int_equal(f->server.n_conns, 0);
}

static struct server_conn *only_connection(struct fixture *f)
{
	assert_int_equal(f->server.n_conns, 1);
	return list_first(&f->server.conns, struct server_conn, in_server);
}

/* Not every client closes a connection whose stream has ended: we do, unless it is used again. */
static void test_connection_of_streams_ends(void **state)
{
	struct fixture *f = *state;
	int fd = dial(f);
	struct server_conn *sc;
	uint8_t byte;

	open_one(f, fd, 1, FRAME_OPEN);
	open_one(f, fd, 3, FRAME_OPEN);
	sc = only_connection(f);
	put_frame(f, fd, 1, FRAME_DATA, 0, "end");
	expect_data(f, fd, 1, FRAME_CLOSED | FRAME_NO_DATA, "");
	assert_false(timer_armed(&sc->over));
	put_frame(f, fd, 3, FRAME_DATA, 0, "fail");
	assert_int_equal(take_response(f, fd, 3, NULL), 5);
	assert_true(timer_armed(&sc->over));
	open_one(f, fd, 5, FRAME_OPEN);
	assert_false(timer_armed(&sc->over));
	put_frame(f, fd, 5, FRAME_DATA, FRAME_CLOSED, "last");
	expect_data(f, fd, 5, 0, "last");
	expect_data(f, fd, 5, FRAME_CLOSED | FRAME_NO_DATA, "");
	assert_true(timer_armed(&sc->over));
	expect_nothing(f, fd);
	timer_arm(&sc->over, &f->loop, 0);
	turn(f);
	assert_int_equal(f->server.n_conns, 0);
	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
	close(fd);
}

/* One that has carried a call is the client's to close; so is one of which nothing was asked. */
static void test_connection_of_calls_stays(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[1024];
	int fd = dial(f);
	uint32_t pid;

	turn(f);
	assert_false(timer_armed(&only_connection(f)->over));
	put(f, fd, bytes, make_request(bytes, 1, "test.Service", "Nothing", "abc"));
	assert_int_equal(take_response(f, fd, 1, NULL), 12);
	assert_false(timer_armed(&only_connection(f)->over));
	put(f, fd, bytes, make_request(bytes, 3, "test.Service", "Length", "abc"));
	assert_int_equal(take_response(f, fd, 3, &pid), 0);
	open_one(f, fd, 5, FRAME_OPEN);
	put_frame(f, fd, 5, FRAME_DATA, 0, "end");
	expect_data(f, fd, 5, FRAME_CLOSED | FRAME_NO_DATA, "");
	assert_false(timer_armed(&only_connection(f)->over));
	close(fd);
}

static void test_hostile_streams(void **state)
{
	struct fixture *f = *state;
	struct frame big = { .length = FRAME_MAX + 1, .stream = 7, .type = FRAME_DATA };
	uint8_t bytes[1024], *zeros = calloc(1, FRAME_MAX + 1);
	int fd = dial(f);
	uint32_t pid;

	assert_non_null(zeros);
	/* Not opened, not a client's, not as a stream. */
	put_frame(f, fd, 1, FRAME_DATA, 0, "x");
	assert_int_equal(take_response(f, fd, 1, NULL), 3);
	put_frame(f, fd, 2, FRAME_DATA, FRAME_CLOSED, "x");
	assert_int_equal(take_response(f, fd, 2, NULL), 3);
	open_one(f, fd, 1, 0);
	assert_int_equal(take_response(f, fd, 1, NULL), 3);
	open_one(f, fd, 3, FRAME_CLOSED);
	assert_int_equal(take_response(f, fd, 3, NULL), 3);
	/* A response, and types that do not exist. */
	open_one(f, fd, 5, FRAME_OPEN);
	put_frame(f, fd, 5, FRAME_RESPONSE, 0, "x");
	put_frame(f, fd, 5, 200, 0xff, "x");
	expect_nothing(f, fd);
	/* Opened twice: the first one stays. */
	open_one(f, fd, 5, FRAME_OPEN);
	assert_int_equal(take_response(f, fd, 5, NULL), 3);
	put_frame(f, fd, 5, FRAME_DATA, 0xfa, "flags");
	expect_data(f, fd, 5, 0, "flags");
	/* Too large: this stream ends, no other. */
	open_one(f, fd, 7, FRAME_OPEN);
	frame_encode(&big, bytes);
	put(f, fd, bytes, FRAME_HEADER);
	put(f, fd, zeros, FRAME_MAX + 1);
	assert_int_equal(take_response(f, fd, 7, NULL), 8);
	assert_int_equal(f->streams_gone, 1);
	put_frame(f, fd, 5, FRAME_DATA, 0, "alive");
	expect_data(f, fd, 5, 0, "alive");
	/* Data for a call that is no stream. */
	put(f, fd, bytes, make_request(bytes, 9, "test.Service", "Park", "abc"));
	put_frame(f, fd, 9, FRAME_DATA, FRAME_CLOSED, "x");
	expect_nothing(f, fd);
	answer_all(&f->parked);
	assert_int_equal(take_response(f, fd, 9, &pid), 0);
	free(zeros);
	close(fd);
}

/* Who does not read: what waits is known, and that it has gone is told. */
static void test_stream_unread(void **state)
{
	struct fixture *f = *state;
	uint8_t *bytes = calloc(1, 65536), *sink = malloc(1 << 20);
	struct err err;
	int fd = dial(f);
	size_t total = 0;

	assert_true(bytes && sink);
	open_one(f, fd, 1, FRAME_OPEN);
	assert_false(call_unsent(f->stream));
	assert_int_equal(call_unread(f->stream), 0);
	for (int i = 0; i < 100 && !call_unsent(f->stream); i++, total += 65536 + FRAME_HEADER)
		assert_int_equal(call_send_message(f->stream, bytes, 65536, &err), 0);
	assert_true(call_unsent(f->stream) && call_unread(f->stream));
	turn(f);
	assert_int_equal(f->sent_n, 0);
	while (total) {
		ssize_t n = syscall(SYS_recvfrom, fd, sink, 1 << 20, MSG_DONTWAIT, NULL, NULL);

		total -= n > 0 ? (size_t)n : 0;
		turn(f);
	}
	assert_int_equal(f->sent_n, 1);
	assert_int_equal(call_unread(f->stream), 0);
	free(bytes);
	free(sink);
	close(fd);
}

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "00-" TRACE "-b7ad6b7169203331-01"

/* The traceparent that the method sees when the request has this metadata. */
static void sees(struct fixture *f, uint32_t stream, const char *const *metadata, const char *want)
{
	const struct wish wish = { .metadata = metadata };
	uint8_t bytes[1024];
	int fd = dial(f);
	size_t n = make_wish(bytes, stream, "test.Service", "Keep", "x", &wish);

	assert_int_equal(write(fd, bytes, n), n);
	turn(f);
	assert_non_null(f->kept);
	if (want)
		assert_string_equal(f->kept->traceparent, want);
	else
		assert_null(f->kept->traceparent);
	close(fd);
	turn(f);
	f->kept = NULL;
}

static void test_traces(void **state)
{
	static const char *const traced[] = { "containerd-namespace-ttrpc",
					      "k8s.io",
					      "traceparent",
					      PARENT,
					      "tracestate",
					      "x=y",
					      NULL };
	static const char *const second[] = { "traceparent", "no", "traceparent", PARENT, NULL };
	static const char *const hostile[] = { "traceparent", PARENT "\nlevel=info", NULL };
	static const char *const zeros[] = {
		"traceparent", "00-00000000000000000000000000000000-b7ad6b7169203331-01", NULL
	};
	static const char *const other[] = { "traceparents", PARENT, "", "", NULL };

	sees(*state, 1, NULL, NULL);
	sees(*state, 1, traced, PARENT);
	sees(*state, 1, second, NULL);
	sees(*state, 1, hostile, NULL);
	sees(*state, 1, zeros, NULL);
	sees(*state, 1, other, NULL);
}

/* Nothing of the request is kept for a call that may wait for days. */
static void test_trace_of_a_wait(void **state)
{
	static const char *const traced[] = { "traceparent", PARENT, NULL };
	const struct wish wish = { .metadata = traced };
	struct fixture *f = *state;
	struct call *call;
	uint8_t bytes[1024];
	int fd = dial(f);
	size_t n = make_wish(bytes, 1, "test.Service", "Wait", "x", &wish);

	assert_int_equal(write(fd, bytes, n), n);
	turn(f);
	assert_false(list_empty(&f->waiting));
	call = list_first(&f->waiting, struct call, parked);
	assert_true(call && !call->traceparent);
	answer_all(&f->waiting);
	assert_int_equal(read_response(fd, 1, NULL), 0);
	close(fd);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_split_at_every_byte),
		T(test_two_in_one_read),
		T(test_unknown_service_and_method),
		T(test_stream_ids),
		T(test_oversized_is_discarded),
		T(test_garbage_payload),
		T(test_peer_vanishes),
		T(test_half_a_frame_then_close),
		T(test_silent_peers_make_room),
		T(test_thousands_wait),
		T(test_kept_are_bounded),
		T(test_waits_are_bounded),
		T(test_deadlines_of_parked),
		T(test_accept_fails),
		T(test_receive_lacks_memory),
		T(test_streams),
		T(test_stream_ends),
		T(test_connection_of_streams_ends),
		T(test_connection_of_calls_stays),
		T(test_streams_left),
		T(test_hostile_streams),
		T(test_stream_unread),
		T(test_traces),
		T(test_trace_of_a_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
