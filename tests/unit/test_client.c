/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/ttrpc.pb-c.h"
#include "runtime/base/mem.h"
#include "shim/ttrpc/ttrpc_client.h"

/* The client against a peer that answers byte by byte as a test wants. */

struct fixture {
	struct loop loop;
	struct client client;
	struct timer stop;
	char path[64];
	int listening, peer;
	unsigned int more;  /* calls that follow, each from the answer to the one before */
	char outcomes[128]; /* '+' answered, '-' an error as answer, '!' no answer */
};

static void call(struct fixture *f)
{
	struct err err;

	assert_int_equal(client_call(&f->client, "S", "M", "x", 1, S_TO_NS(5), &err), 0);
}

static void on_done(struct client *c, const struct err *failed)
{
	struct fixture *f = container_of(c, struct fixture, client);
	const char *what = !failed ? "+" : failed->code == ERR_PRECONDITION ? "-" : "!";

	strcat(f->outcomes, what);
	f->loop.quit = true;
	if (f->more) {
		f->more--;
		call(f);
	}
}

static void on_stop(struct timer *t)
{
	container_of(t, struct fixture, stop)->loop.quit = true;
}

/* Until a call is done; the bound only ends a test that fails. */
static void run(struct fixture *f)
{
	struct err err;

	f->loop.quit = false;
	timer_arm(&f->stop, &f->loop, S_TO_NS(8));
	assert_int_equal(loop_run(&f->loop, &err), 0);
	timer_disarm(&f->stop);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct err err;

	assert_non_null(f);
	strcpy(f->path, "/tmp/crossarch-test-XXXXXX");
	close(mkstemp(f->path));
	unlink(f->path);
	strcpy(addr.sun_path, f->path);
	f->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(f->listening, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(f->listening, 4), 0);
	assert_int_equal(loop_init(&f->loop, &err), 0);
	f->stop.on_fire = on_stop;
	client_init(&f->client, &f->loop, f->path, on_done);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	client_deinit(&f->client);
	loop_deinit(&f->loop);
	close(f->peer);
	close(f->listening);
	unlink(f->path);
	free(f);
	return 0;
}

static size_t make_answer(uint8_t *out, uint32_t stream, bool refused)
{
	Crossarch__TtrpcResponse r = CROSSARCH__TTRPC_RESPONSE__INIT;
	Crossarch__TtrpcStatus status = CROSSARCH__TTRPC_STATUS__INIT;
	struct frame frame = { .stream = stream, .type = FRAME_RESPONSE };
	char text[] = "no";

	status.code = refused ? 3 : 0;
	status.message = text;
	r.status = &status;
	frame.length = (uint32_t)crossarch__ttrpc_response__pack(&r, out + FRAME_HEADER);
	frame_encode(&frame, out);
	return FRAME_HEADER + frame.length;
}

static void send_bytes(const struct fixture *f, const uint8_t *bytes, size_t n)
{
	assert_int_equal(send(f->peer, bytes, n, MSG_NOSIGNAL), n);
}

/* Behind the error comes the beginning of a frame that is nobody's; the next call is made at once.
 */
static void test_error_with_more_behind(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[256];
	size_t n, whole;

	call(f);
	f->peer = accept(f->listening, NULL, NULL);
	f->more = 1;
	n = make_answer(bytes, 1, true);
	whole = n + make_answer(bytes + n, 99, false);
	send_bytes(f, bytes, n + 5);
	run(f);
	assert_string_equal(f->outcomes, "-");
	assert_true(f->client.busy);
	send_bytes(f, bytes + n + 5, whole - n - 5);
	n = make_answer(bytes, 3, false);
	send_bytes(f, bytes, n);
	run(f);
	assert_string_equal(f->outcomes, "-+");
}

/* The peer leaves in the middle of a frame: what it had sent of it is not the next one's. */
static void test_new_connection_begins_anew(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[256];
	size_t n;

	call(f);
	f->peer = accept(f->listening, NULL, NULL);
	n = make_answer(bytes, 1, false);
	send_bytes(f, bytes, n - 1);
	close(f->peer);
	f->more = 1;
	run(f);
	assert_string_equal(f->outcomes, "!");
	f->peer = accept(f->listening, NULL, NULL);
	n = make_answer(bytes, 1, false);
	send_bytes(f, bytes, n);
	run(f);
	assert_string_equal(f->outcomes, "!+");
}

/* What is no answer at all is an error of the peer, and its next one counts. */
static void test_garbage(void **state)
{
	struct frame frame = { .length = 3, .stream = 1, .type = FRAME_RESPONSE };
	struct fixture *f = *state;
	uint8_t bytes[256];
	size_t n;

	call(f);
	f->peer = accept(f->listening, NULL, NULL);
	f->more = 1;
	frame_encode(&frame, bytes);
	memset(bytes + FRAME_HEADER, 0xff, 3);
	send_bytes(f, bytes, FRAME_HEADER + 3);
	run(f);
	n = make_answer(bytes, 3, false);
	send_bytes(f, bytes, n);
	run(f);
	assert_string_equal(f->outcomes, "-+");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_error_with_more_behind),
		T(test_new_connection_begins_anew),
		T(test_garbage),
	};

	return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
