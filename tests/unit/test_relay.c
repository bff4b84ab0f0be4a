/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>

#include "runtime/base/fd.h"
#include "shim/host/relay.h"

/*
 * @from -> relay -> @to: the test writes into from[1] and reads from to[0]. The test's own end is
 * driven by the same loop: a feeder writes a known sequence, an eater checks it.
 */
struct rig {
	struct loop loop;
	struct relay relay;
	struct source feeder, eater;
	struct timer alarm;
	int from[2], to[2]; /* [0] read, [1] write */
	size_t fed, eaten, total, bite;
	bool ended, free_in_callback;
	int errnum;
};

static int relayed_to = -1;    /* the descriptor the relay writes to */
static unsigned int shortages; /* this many moves find no memory */

static bool short_of_memory(void)
{
	if (!shortages)
		return false;
	errno = shortages-- % 2 ? ENOMEM : ENOBUFS;
	return true;
}

ssize_t splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned int flags)
{
	return short_of_memory() ? -1 : syscall(SYS_splice, in, in_at, out, out_at, n, flags);
}

/* Of the relay's copying only: the test itself writes to sockets with the same call. */
ssize_t write(int fd, const void *bytes, size_t n)
{
	bool relays = n && n <= 4096 && fd == relayed_to;

	return relays && short_of_memory() ? -1 : syscall(SYS_write, fd, bytes, n);
}

static uint8_t expected(size_t i)
{
	return (uint8_t)(i * 31 + (i >> 8));
}

static void on_end(struct relay *r, int errnum)
{
	struct rig *rig = container_of(r, struct rig, relay);

	assert_false(rig->ended);
	assert_false(relay_running(r));
	rig->ended = true;
	rig->errnum = errnum;
	if (rig->free_in_callback)
		memset(r, 0xa5, sizeof(*r));
	fd_close(&rig->to[1]);
	fd_close(&rig->from[0]);
	if (!rig->eater.loop)
		rig->loop.quit = true;
}

static void on_feed(struct source *src)
{
	struct rig *rig = container_of(src, struct rig, feeder);
	uint8_t block[3000];
	size_t n = 0;
	ssize_t done;

	for (; n < sizeof(block) && rig->fed + n < rig->total; n++)
		block[n] = expected(rig->fed + n);
	done = write(src->fd, block, n);
	if (done > 0)
		rig->fed += (size_t)done;
	if (rig->fed == rig->total) {
		source_deinit(src);
		fd_close(&rig->from[1]);
	}
}

static void on_eat(struct source *src)
{
	struct rig *rig = container_of(src, struct rig, eater);
	uint8_t block[70000];
	ssize_t n = read(src->fd, block, rig->bite);

	for (ssize_t i = 0; i < n; i++)
		assert_int_equal(block[i], expected(rig->eaten + (size_t)i));
	if (n > 0)
		rig->eaten += (size_t)n;
	if (n == 0) {
		source_deinit(src);
		rig->loop.quit = true;
	}
}

static void on_alarm(struct timer *t)
{
	(void)t;
	fail_msg("the relay hangs");
}

static void on_tick(struct timer *t)
{
	container_of(t, struct rig, alarm)->loop.quit = true;
}

static void run(struct rig *rig, void (*on_fire)(struct timer *), uint64_t ns)
{
	struct err err;

	rig->alarm.on_fire = on_fire;
	timer_arm(&rig->alarm, &rig->loop, ns);
	rig->loop.quit = false;
	assert_int_equal(loop_run(&rig->loop, &err), 0);
	timer_disarm(&rig->alarm);
}

static void non_blocking(int fd)
{
	assert_int_equal(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
}

static void pipes(struct rig *rig)
{
	assert_int_equal(pipe2(rig->from, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(pipe2(rig->to, O_CLOEXEC | O_NONBLOCK), 0);
}

static void sockets(int pair[2])
{
	int small = 4096;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
			 0);
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
}

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct err err;

	assert_non_null(rig);
	signal(SIGPIPE, SIG_IGN);
	*rig = (struct rig){ .from = { -1, -1 }, .to = { -1, -1 }, .bite = 70000 };
	assert_int_equal(loop_init(&rig->loop, &err), 0);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	if (!rig->ended)
		relay_stop(&rig->relay);
	source_deinit(&rig->feeder);
	source_deinit(&rig->eater);
	for (int i = 0; i < 2; i++) {
		fd_close(&rig->from[i]);
		fd_close(&rig->to[i]);
	}
	loop_deinit(&rig->loop);
	free(rig);
	return 0;
}

static void start(struct rig *rig)
{
	struct err err;

	relayed_to = rig->to[1];
	assert_int_equal(
		relay_start(&rig->relay, &rig->loop, rig->from[0], rig->to[1], on_end, &err), 0);
}

/* Feeds and eats @total bytes to the end of file. */
static void pass(struct rig *rig, size_t total)
{
	struct err err;

	rig->total = total;
	assert_int_equal(
		source_init(&rig->feeder, &rig->loop, rig->from[1], EPOLLOUT, on_feed, &err), 0);
	assert_int_equal(source_init(&rig->eater, &rig->loop, rig->to[0], EPOLLIN, on_eat, &err),
			 0);
	run(rig, on_alarm, S_TO_NS(60));
	assert_true(rig->ended);
	assert_int_equal(rig->errnum, 0);
	assert_int_equal(rig->eaten, total);
}

static void test_pipe_to_pipe(void **state)
{
	struct rig *rig = *state;

	pipes(rig);
	start(rig);
	pass(rig, 3000000);
}

static void test_small_bites(void **state)
{
	struct rig *rig = *state;

	rig->bite = 13;
	rig->free_in_callback = true;
	pipes(rig);
	start(rig);
	pass(rig, 100000);
}

/* splice() refuses two sockets; the destination takes less than a block. */
static void test_copied(void **state)
{
	struct rig *rig = *state;

	rig->bite = 500;
	sockets(rig->from);
	sockets(rig->to);
	start(rig);
	pass(rig, 300000);
	assert_true(rig->relay.copies);
	assert_null(rig->relay.rest);
}

/* Full: nothing is watched but the room, and nothing runs meanwhile. Room: it goes on. */
static void test_full(void **state)
{
	struct rig *rig = *state;
	char block[4096] = "";

	pipes(rig);
	start(rig);
	assert_false(relay_blocked(&rig->relay));
	while (!relay_blocked(&rig->relay)) {
		assert_true(write(rig->from[1], block, sizeof(block)) > 0);
		run(rig, on_tick, 0);
	}
	rig->relay.moved = false;
	run(rig, on_tick, MS_TO_NS(5));
	assert_false(rig->relay.moved);
	assert_true(relay_blocked(&rig->relay));
	assert_true(read(rig->to[0], block, sizeof(block)) > 0);
	run(rig, on_tick, MS_TO_NS(5));
	assert_true(rig->relay.moved);
	assert_false(rig->ended);
}

static void test_reader_gone(void **state)
{
	struct rig *rig = *state;

	pipes(rig);
	start(rig);
	fd_close(&rig->to[0]);
	assert_int_equal(write(rig->from[1], "x", 1), 1);
	run(rig, on_alarm, S_TO_NS(60));
	assert_true(rig->ended);
	assert_int_equal(rig->errnum, EPIPE);
}

static void test_empty_end(void **state)
{
	struct rig *rig = *state;

	pipes(rig);
	start(rig);
	fd_close(&rig->from[1]);
	run(rig, on_alarm, S_TO_NS(60));
	assert_true(rig->ended);
	assert_int_equal(rig->errnum, 0);
}

/* A terminal nobody has open any more gives EIO, after what was written before. */
static void test_from_terminal(void **state)
{
	struct rig *rig = *state;
	int slave;
	char got[16] = "";

	pipes(rig);
	close(rig->from[0]);
	close(rig->from[1]);
	rig->from[1] = -1;
	assert_int_equal(openpty(&rig->from[0], &slave, NULL, NULL, NULL), 0);
	non_blocking(rig->from[0]);
	start(rig);
	assert_int_equal(write(slave, "words", 5), 5);
	close(slave);
	run(rig, on_alarm, S_TO_NS(60));
	assert_true(rig->ended);
	assert_int_equal(rig->errnum, 0);
	assert_int_equal(read(rig->to[0], got, sizeof(got)), 5);
	assert_string_equal(got, "words");
}

/*
 * More than the terminal holds: it waits for the process to read. @keep is what a container's
 * output is to the shim: while it is open the end of the input hangs nothing up, which would lose
 * what is unread.
 */
static void test_to_terminal(void **state)
{
	struct rig *rig = *state;
	struct termios raw;
	struct err err;
	int keep, ticks = 0;

	pipes(rig);
	close(rig->to[0]);
	close(rig->to[1]);
	assert_int_equal(openpty(&rig->to[1], &rig->to[0], NULL, NULL, NULL), 0);
	assert_int_equal(tcgetattr(rig->to[0], &raw), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(rig->to[0], TCSANOW, &raw), 0);
	non_blocking(rig->to[0]);
	non_blocking(rig->to[1]);
	keep = fcntl(rig->to[1], F_DUPFD_CLOEXEC, 0);
	assert_true(keep >= 0);
	start(rig);
	rig->total = 200000;
	assert_int_equal(
		source_init(&rig->feeder, &rig->loop, rig->from[1], EPOLLOUT, on_feed, &err), 0);
	assert_int_equal(source_init(&rig->eater, &rig->loop, rig->to[0], EPOLLIN, on_eat, &err),
			 0);
	for (; rig->eaten < rig->total; ticks++) {
		assert_true(ticks < 12000);
		run(rig, on_tick, MS_TO_NS(5));
	}
	assert_int_equal(rig->eaten, rig->total);
	close(keep);
}

/* A terminal's output to a file: no pipe in it, so it is copied. */
static void test_to_file(void **state)
{
	struct rig *rig = *state;
	char path[] = "/tmp/crossarch-test.XXXXXX", got[16] = "";
	int slave, file = mkstemp(path);

	assert_int_equal(openpty(&rig->from[0], &slave, NULL, NULL, NULL), 0);
	non_blocking(rig->from[0]);
	rig->to[1] = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	unlink(path);
	start(rig);
	assert_int_equal(write(slave, "to a file", 9), 9);
	close(slave);
	run(rig, on_alarm, S_TO_NS(60));
	assert_true(rig->relay.copies);
	assert_int_equal(rig->errnum, 0);
	assert_int_equal(read(file, got, sizeof(got)), 9);
	assert_string_equal(got, "to a file");
	close(file);
}

/* Stopped with a rest in hand: it goes with the relay (a leak checker would tell). */
static void test_stop(void **state)
{
	struct rig *rig = *state;
	char block[4096] = "";

	sockets(rig->from);
	sockets(rig->to);
	start(rig);
	while (!relay_blocked(&rig->relay)) {
		if (write(rig->from[1], block, sizeof(block)) < 0)
			assert_int_equal(errno, EAGAIN);
		run(rig, on_tick, 0);
	}
	relay_stop(&rig->relay);
	relay_stop(&rig->relay);
	assert_false(relay_running(&rig->relay));
	assert_false(relay_blocked(&rig->relay));
	assert_null(rig->relay.rest);
}

/* The kernel has no memory for a while: all of it arrives, only later. */
static void test_no_memory(void **state)
{
	struct rig *rig = *state;

	pipes(rig);
	start(rig);
	shortages = 5;
	pass(rig, 100000);
	assert_int_equal(shortages, 0);
}

static void test_no_memory_copied(void **state)
{
	struct rig *rig = *state;

	sockets(rig->from);
	sockets(rig->to);
	start(rig);
	rig->relay.copies = true; /* it is known already that splice() refuses them */
	shortages = 6;
	pass(rig, 100000);
	assert_int_equal(shortages, 0);
}

/* Stopped while it waits for memory. */
static void test_stop_without_memory(void **state)
{
	struct rig *rig = *state;

	pipes(rig);
	start(rig);
	shortages = 1;
	assert_int_equal(write(rig->from[1], "x", 1), 1);
	while (shortages)
		run(rig, on_tick, 0);
	relay_stop(&rig->relay);
	run(rig, on_tick, 2 * LOOP_RETRY_NS);
	assert_false(rig->ended);
}

int main(void)
{
#define RIG_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_pipe_to_pipe),
		RIG_TEST(test_small_bites),
		RIG_TEST(test_copied),
		RIG_TEST(test_full),
		RIG_TEST(test_reader_gone),
		RIG_TEST(test_empty_end),
		RIG_TEST(test_from_terminal),
		RIG_TEST(test_to_terminal),
		RIG_TEST(test_to_file),
		RIG_TEST(test_stop),
		RIG_TEST(test_no_memory),
		RIG_TEST(test_no_memory_copied),
		RIG_TEST(test_stop_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
