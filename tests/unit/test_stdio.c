/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>

#include "tests/unit/stdio_bench.h"

static int open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* All three through FIFOs: the client sees its input come back, then end of file on both. */
static void test_fifos(void **state)
{
	struct bench *b = *state;
	struct stdio_spec spec = { .in = bench_fifo(b, "in"),
				   .out = bench_fifo(b, "out"),
				   .err = bench_fifo(b, "err") };
	struct job in, out, errs, process;
	int before = open_descriptors();

	bench_open(b, &spec);
	bench_client(b, &out, "cat out >got-out");
	bench_client(b, &errs, "cat err >got-err");
	bench_client(b, &in, "echo from the client >in");
	bench_await_ready(b);
	bench_start(b, &process, "read line; echo got $line; echo trouble >&2");
	bench_exit_and_drain(b, &process);
	bench_until(b, &in.done);
	bench_until(b, &out.done);
	bench_until(b, &errs.done);
	bench_assert_file(b, "got-out", "got from the client\n");
	bench_assert_file(b, "got-err", "trouble\n");
	assert_int_equal(open_descriptors(), before);
}

/* Readers that are there first: nothing is left to wait for, and on_ready is not called. */
static void test_ready_at_once(void **state)
{
	struct bench *b = *state;
	const char *path = bench_fifo(b, "out");
	struct stdio_spec spec = { .in = "", .out = path, .err = "" };
	int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	const int client_fds[] = { reader, -1, -1 };
	struct job process, out;

	bench_open(b, &spec);
	assert_true(stdio_is_ready(&b->io));
	assert_int_equal(b->io.engine.fds[0], -1);
	assert_int_equal(b->io.engine.fds[2], -1);
	assert_int_equal(fcntl(reader, F_SETFL, 0), 0);
	bench_run(b, &out, "cat >got", client_fds);
	close(reader);
	bench_start(b, &process, "echo hello");
	bench_exit_and_drain(b, &process);
	assert_false(b->ready);
	bench_until(b, &out.done);
	bench_assert_file(b, "got", "hello\n");
}

/* A process that reads to end of file gets there by CloseIO, not when the client goes away. */
static void test_close_stdin(void **state)
{
	struct bench *b = *state;
	const char *in = bench_fifo(b, "in");
	struct stdio_spec spec = { .in = in, .out = bench_fifo(b, "out"), .err = "" };
	struct job out, first, second, process;

	bench_open(b, &spec);
	bench_client(b, &out, "cat out >got");
	bench_await_ready(b);
	bench_start(b, &process, "cat; echo end");
	bench_client(b, &first, "echo one >in");
	bench_until(b, &first.done);
	bench_client(b, &second, "echo two >in");
	bench_until(b, &second.done);
	assert_false(process.done);
	stdio_close_stdin(&b->io);
	stdio_close_stdin(&b->io);
	bench_exit_and_drain(b, &process);
	bench_until(b, &out.done);
	bench_assert_file(b, "got", "one\ntwo\nend\n");
}

/*
 * A descendant that keeps the pipe open holds up neither the exit nor, when the client reads no
 * more, Delete; what it says meanwhile arrives.
 */
static void test_descendant(void **state)
{
	struct bench *b = *state;
	struct stdio_spec spec = { .in = "", .out = bench_fifo(b, "out"), .err = "" };
	struct job out, process, more;

	bench_open(b, &spec);
	bench_client(b, &out, "head -n 2 out >got");
	bench_await_ready(b);
	bench_start(
		b, &process,
		"mkfifo go; echo before; (read x <go; echo after; exec sleep 1000) & echo $! >pid");
	bench_exit_and_hand(b, &process);
	assert_false(stdio_drained(&b->io));
	bench_client(b, &more, "echo >go");
	bench_until(b, &out.done);
	bench_assert_file(b, "got", "before\nafter\n");
	assert_false(stdio_drained(&b->io));
	stdio_end_unread(&b->io);
	assert_true(stdio_drained(&b->io));
	bench_until(b, &more.done);
	bench_client(b, &out, "kill $(cat pid)");
	bench_until(b, &out.done);
}

/* As a client of containerd does: it stops reading once it knows of the exit. */
static void test_handed_before_told(void **state)
{
	struct bench *b = *state;
	const char *path = bench_fifo(b, "out");
	struct stdio_spec spec = { .in = "", .out = path, .err = "" };
	struct job out, process;

	bench_open(b, &spec);
	/* A reader that takes its time, but never stops. */
	bench_client(b, &out,
		     "exec <out; t=0; while n=$(dd bs=16384 count=1 2>/dev/null | wc -c); "
		     "[ $n != 0 ]; do t=$((t + n)); sleep 0.01; done; echo $t >got");
	bench_await_ready(b);
	bench_start(b, &process, "head -c 1000000 /dev/zero");
	bench_exit_and_hand(b, &process);
	stdio_give_up(&b->io);
	bench_until(b, &out.done);
	bench_assert_file(b, "got", "1000000\n");
}

/* Nobody reads: the exit does not wait, and what was written stays for one who comes back. */
static void test_reader_gone(void **state)
{
	struct bench *b = *state;
	const char *path = bench_fifo(b, "out");
	struct stdio_spec spec = { .in = "", .out = path, .err = "" };
	int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct job process, out;

	bench_open(b, &spec);
	bench_start(b, &process, "echo kept");
	close(reader);
	bench_exit_and_hand(b, &process);
	assert_false(stdio_drained(&b->io));
	bench_client(b, &out, "head -n 1 out >got");
	bench_until(b, &out.done);
	bench_assert_file(b, "got", "kept\n");
	bench_until(b, &b->drained);
}

/* A reader that reads nothing is waited for as long as the patience is, and not cut after that. */
static void test_reader_stalls(void **state)
{
	struct bench *b = *state;
	const char *path = bench_fifo(b, "out");
	struct stdio_spec spec = { .in = "", .out = path, .err = "" };
	CLEANUP_FD int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char got[16] = "";
	struct job process;

	bench_open(b, &spec);
	stdio_hurry(&b->io);
	bench_start(b, &process, "echo kept");
	bench_until(b, &process.done);
	stdio_process_exited(&b->io);
	assert_false(stdio_handed(&b->io));
	bench_until(b, &b->handed);
	assert_false(stdio_drained(&b->io));
	assert_int_equal(read(reader, got, sizeof(got)), 5);
	bench_until(b, &b->drained);
	assert_int_equal(read(reader, got, sizeof(got)), 0);
}

/* An engine's own words, when it fails, are no output of a process. */
/* Until an engine is there that could fill them, nobody looks at the pipes. */
static void test_no_engine_yet(void **state)
{
	struct bench *b = *state;
	struct stdio_spec spec = { .in = "", .out = bench_fifo(b, "out"), .err = "" };
	int fd = open(spec.out, O_RDWR | O_CLOEXEC);

	bench_open(b, &spec);
	assert_true(stdio_is_ready(&b->io));
	assert_ptr_equal(b->loop.timers.next, &b->alarm.armed);
	assert_ptr_equal(b->loop.timers.prev, &b->alarm.armed);
	stdio_engine_begins(&b->io);
	assert_ptr_not_equal(b->loop.timers.next, b->loop.timers.prev);
	close(fd);
}

static void test_engine_words(void **state)
{
	struct bench *b = *state;
	const char *path = bench_fifo(b, "out");
	struct stdio_spec spec = { .in = "", .out = path, .err = "" };
	CLEANUP_FD int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct job engine;
	char got[16];

	bench_open(b, &spec);
	bench_run(b, &engine, "echo exec failed", b->io.engine.fds);
	bench_until(b, &engine.done);
	stdio_deinit(&b->io);
	assert_int_equal(read(reader, got, sizeof(got)), 0);
}

/* One that says a lot, as does a hook that it runs, is not held up by nobody reading that. */
static void test_noisy_engine(void **state)
{
	struct bench *b = *state;
	struct stdio_spec spec = { .in = "", .out = "", .err = bench_fifo(b, "err") };
	struct job engine, errs;

	bench_open(b, &spec);
	bench_client(b, &errs, "wc -c <err >got");
	bench_await_ready(b);
	bench_run(b, &engine, "head -c 300000 /dev/zero >&2", b->io.engine.fds);
	stdio_engine_begins(&b->io);
	bench_until(b, &engine.done);
	stdio_deinit(&b->io);
	bench_until(b, &errs.done);
}

struct slow {
	struct timer timer;
	struct bench *bench;
	bool passed;
};

static void slow_passed(struct timer *t)
{
	struct slow *s = container_of(t, struct slow, timer);

	s->passed = true;
	s->bench->loop.quit = true;
}

/* More than the FIFO takes, and a client that reads long after the process' end: nothing is cut. */
static void test_slow_client(void **state)
{
	struct bench *b = *state;
	const char *path = bench_fifo(b, "out");
	struct stdio_spec spec = { .in = "", .out = path, .err = "" };
	int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	const int client_fds[] = { reader, -1, -1 };
	struct slow slow = { .timer.on_fire = slow_passed, .bench = b };
	struct job out, process;

	bench_open(b, &spec);
	bench_start(b, &process, "head -c 100000 /dev/zero");
	bench_until(b, &process.done);
	stdio_process_exited(&b->io);
	stdio_hurry(&b->io);
	timer_arm(&slow.timer, &b->loop, 2 * STDIO_DRAIN + STDIO_DRAIN / 2);
	bench_until(b, &slow.passed);
	assert_false(stdio_drained(&b->io));
	assert_int_equal(fcntl(reader, F_SETFL, 0), 0);
	bench_run(b, &out, "wc -c >got", client_fds);
	close(reader);
	bench_until(b, &b->drained);
	bench_until(b, &out.done);
	bench_assert_file(b, "got", "100000\n");
}

static void test_give_up(void **state)
{
	struct bench *b = *state;
	const char *path = bench_fifo(b, "out");
	struct stdio_spec spec = { .in = bench_fifo(b, "in"), .out = path, .err = "" };
	CLEANUP_FD int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int before = open_descriptors();
	struct job process;

	assert_true(reader >= 0);
	bench_open(b, &spec);
	bench_start(b, &process, "head -c 100000 /dev/zero");
	bench_until(b, &process.done);
	stdio_process_exited(&b->io);
	assert_false(stdio_drained(&b->io));
	stdio_give_up(&b->io);
	assert_true(stdio_drained(&b->io));
	assert_false(b->drained);
	assert_int_equal(open_descriptors(), before);
}

/* Not a FIFO: the process gets the file itself, at its end, and nothing is kept here. */
static void test_plain_files(void **state)
{
	struct bench *b = *state;
	struct stdio_spec spec = { .in = "/dev/null",
				   .out = bench_path(b, "log"),
				   .err = bench_path(b, "log") };
	struct job process;

	bench_client(b, &process, "echo old >log");
	bench_until(b, &process.done);
	bench_open(b, &spec);
	assert_true(stdio_is_ready(&b->io));
	bench_start(b, &process, "cat; echo new; echo more >&2");
	bench_exit_and_drain(b, &process);
	bench_assert_file(b, "log", "old\nnew\nmore\n");
}

static void test_file_uri(void **state)
{
	struct bench *b = *state;
	struct stat st;
	char uri[160];
	struct stdio_spec spec = { .in = "", .out = uri, .err = uri };
	struct job process;

	assert_true(str_fmt(uri, sizeof(uri), "file://%s/a/b%%20c/log", b->dir));
	bench_open(b, &spec);
	bench_start(b, &process, "echo out; echo err >&2");
	bench_exit_and_drain(b, &process);
	bench_assert_file(b, "a/b c/log", "out\nerr\n");
	assert_int_equal(stat(bench_path(b, "a/b c/log"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void refuse(struct bench *b, const char *in, const char *out, const char *err,
		   enum err_code code, const char *text)
{
	struct stdio_spec spec = { .in = in, .out = out, .err = err, .id = "id", .ns = "ns" };
	struct err e = ERR_INIT;
	int before = open_descriptors();

	assert_int_equal(stdio_open(&b->io, &b->loop, &b->reaper, &spec, &e), -1);
	assert_int_equal(e.code, code);
	assert_non_null(strstr(e.text, text));
	assert_int_equal(open_descriptors(), before);
}

static void test_refusals(void **state)
{
	struct bench *b = *state;
	const char *in = bench_fifo(b, "in");

	refuse(b, in, "pipe:///x", "", ERR_INVALID, "unknown STDIO scheme pipe");
	refuse(b, in, "", "binary:///x", ERR_INVALID, "unknown STDIO scheme binary");
	refuse(b, in, "/nonexistent/out", "", ERR_NOT_FOUND, "stdout: open /nonexistent/out");
	refuse(b, in, "", "/nonexistent/err", ERR_NOT_FOUND, "stderr: open /nonexistent/err");
	refuse(b, "/nonexistent/in", "", "", ERR_NOT_FOUND, "stdin: open /nonexistent/in");
	refuse(b, in, "file://relative", "", ERR_INVALID, "not an absolute path");
	refuse(b, in, "binary:///nonexistent/driver", "", ERR_NOT_FOUND, "logging driver");
}

static void test_nothing_to_do(void **state)
{
	struct bench *b = *state;
	struct stdio_spec spec = { .in = "", .out = "", .err = "" };
	struct err err;

	bench_open(b, &spec);
	assert_null(b->io.streams);
	assert_true(stdio_is_ready(&b->io));
	assert_int_equal(stdio_engine_done(&b->io, &err), 0);
	assert_int_equal(stdio_resize(&b->io, 80, 25, &err), 0);
	stdio_close_stdin(&b->io);
	stdio_process_exited(&b->io);
	assert_true(stdio_drained(&b->io));
}

/* The owner may free everything from either callback. */
static void test_free_in_callback(void **state)
{
	struct bench *b = *state;
	struct stdio_spec spec = { .in = "", .out = bench_fifo(b, "out"), .err = "" };
	struct job out, process;

	b->free_in_callback = true;
	bench_open(b, &spec);
	bench_client(b, &out, "cat out");
	bench_await_ready(b);
	bench_until(b, &out.done);
	bench_client(b, &out, "cat out >got");
	b->free_in_callback = b->ready = false;
	bench_open(b, &spec);
	bench_await_ready(b);
	b->free_in_callback = true;
	bench_start(b, &process, "echo last");
	bench_exit_and_drain(b, &process);
	bench_until(b, &out.done);
	bench_assert_file(b, "got", "last\n");
}

/* Freed while the reader has not come: the timer goes too (loop_deinit() would notice). */
static void test_free_while_waiting(void **state)
{
	struct bench *b = *state;
	struct stdio_spec spec = { .in = "", .out = bench_fifo(b, "out"), .err = "" };

	bench_open(b, &spec);
	assert_false(stdio_is_ready(&b->io));
	stdio_deinit(&b->io);
}

/* Every byte arrives, in order, whatever sizes it is written and read in. */
static void test_bulk(void **state)
{
	struct bench *b = *state;
	struct stdio_spec spec = { .in = bench_fifo(b, "in"),
				   .out = bench_fifo(b, "out"),
				   .err = "" };
	struct job in, out, process;

	bench_open(b, &spec);
	bench_client(b, &out, "dd if=out bs=5000 2>/dev/null | cksum >got");
	bench_client(b, &in, "seq 1 400000 | tee data | dd of=in bs=777 2>/dev/null");
	bench_await_ready(b);
	bench_start(b, &process, "exec dd bs=300 2>/dev/null");
	bench_until(b, &in.done);
	stdio_close_stdin(&b->io);
	bench_exit_and_drain(b, &process);
	bench_until(b, &out.done);
	bench_client(b, &in, "cksum <data | cmp - got");
	bench_until(b, &in.done);
	assert_int_equal(in.code, 0);
}

int main(void)
{
#define BENCH_TEST(fn) cmocka_unit_test_setup_teardown(fn, bench_setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		BENCH_TEST(test_fifos),
		BENCH_TEST(test_ready_at_once),
		BENCH_TEST(test_close_stdin),
		BENCH_TEST(test_descendant),
		BENCH_TEST(test_handed_before_told),
		BENCH_TEST(test_reader_gone),
		BENCH_TEST(test_reader_stalls),
		BENCH_TEST(test_engine_words),
		BENCH_TEST(test_no_engine_yet),
		BENCH_TEST(test_noisy_engine),
		BENCH_TEST(test_slow_client),
		BENCH_TEST(test_give_up),
		BENCH_TEST(test_plain_files),
		BENCH_TEST(test_file_uri),
		BENCH_TEST(test_refusals),
		BENCH_TEST(test_nothing_to_do),
		BENCH_TEST(test_free_in_callback),
		BENCH_TEST(test_free_while_waiting),
		BENCH_TEST(test_bulk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
