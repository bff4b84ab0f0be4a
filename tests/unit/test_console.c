/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/stdio_bench.h"

#include "shim/host/console.h"

/* Input, size and output of a terminal; stderr's path is not looked at. */
static void test_terminal(void **state)
{
	struct bench *b = *state;
	struct stdio_spec spec = { .in = bench_fifo(b, "in"),
				   .out = bench_fifo(b, "out"),
				   .err = "/nonexistent/err",
				   .terminal = true };
	struct job in, out, process;
	struct err err;

	bench_open(b, &spec);
	for (int n = 0; n < 3; n++)
		assert_int_equal(b->io.engine.fds[n], -1);
	bench_client(b, &out, "cat out >got");
	bench_await_ready(b);
	bench_start_on_terminal(b, &process, "stty -echo; read line; stty size; echo got $line");
	assert_int_equal(stdio_resize(&b->io, 101, 37, &err), 0);
	bench_client(b, &in, "echo words >in");
	bench_exit_and_drain(b, &process);
	bench_until(b, &in.done);
	bench_until(b, &out.done);
	bench_client(b, &out, "grep -q '^37 101' got && grep -q 'got words' got");
	bench_until(b, &out.done);
	assert_int_equal(out.code, 0);
	assert_int_equal(stdio_resize(&b->io, 1, 1, &err), 0);
}

/* A terminal's output to a file, and to nowhere. */
static void test_terminal_to_file(void **state)
{
	struct bench *b = *state;
	char uri[128];
	struct stdio_spec spec = { .in = "", .out = uri, .err = uri, .terminal = true };
	struct job process;

	str_fmt(uri, sizeof(uri), "file://%s/sub/log", b->dir);
	bench_open(b, &spec);
	assert_true(stdio_is_ready(&b->io));
	bench_start_on_terminal(b, &process, "echo to a file");
	bench_exit_and_drain(b, &process);
	bench_assert_file(b, "sub/log", "to a file\r\n");
}

static void test_terminal_to_nowhere(void **state)
{
	struct bench *b = *state;
	struct stdio_spec spec = { .in = "", .out = "", .err = "", .terminal = true };
	struct job process;

	bench_open(b, &spec);
	bench_start_on_terminal(b, &process, "head -c 300000 /dev/zero; exit 7");
	bench_exit_and_drain(b, &process);
	assert_int_equal(process.code, 7);
}

/* A descendant keeps the terminal: the client still gets its end of file. */
static void test_terminal_held(void **state)
{
	struct bench *b = *state;
	struct stdio_spec spec = {
		.in = "", .out = bench_fifo(b, "out"), .err = "", .terminal = true
	};
	struct job out, process;

	bench_open(b, &spec);
	bench_client(b, &out, "cat out >got");
	bench_await_ready(b);
	bench_start_on_terminal(b, &process, "trap '' HUP; sleep 1000 & echo $! >pid; echo words");
	bench_exit_and_drain(b, &process);
	bench_until(b, &out.done);
	bench_assert_file(b, "got", "words\r\n");
	bench_client(b, &out, "kill $(cat pid)");
	bench_until(b, &out.done);
}

static void open_terminal(struct bench *b)
{
	struct stdio_spec spec = { .in = "", .out = "", .err = "", .terminal = true };

	bench_open(b, &spec);
}

static void refuse(struct bench *b)
{
	struct err err = ERR_INIT;

	assert_int_equal(stdio_engine_done(&b->io, &err), -1);
	assert_int_equal(err.code, ERR_ENGINE);
	stdio_deinit(&b->io);
	assert_string_equal(b->io.engine.console_socket, "");
}

/* The engine ends without connecting, without a descriptor, or with something else. */
static void test_no_terminal(void **state)
{
	struct bench *b = *state;
	const int fds[] = { STDIN_FILENO, STDIN_FILENO, STDIN_FILENO };
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC), before;

	open_terminal(b);
	refuse(b);
	open_terminal(b);
	bench_send_fds(b, NULL, 0);
	refuse(b);
	open_terminal(b);
	bench_send_fds(b, &null_fd, 1);
	refuse(b);
	before = dup(null_fd);
	close(before);
	open_terminal(b);
	bench_send_fds(b, fds, 3);
	(void)!stdio_engine_done(&b->io, &(struct err)ERR_INIT);
	stdio_deinit(&b->io);
	close(null_fd);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_true(null_fd <= before);
	close(null_fd);
}

static void test_no_fifo_for_input(void **state)
{
	struct bench *b = *state;
	struct stdio_spec spec = { .in = "/dev/null", .out = "", .err = "", .terminal = true };
	struct err err;

	assert_int_equal(stdio_open(&b->io, &b->loop, &b->reaper, &spec, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(b->io.engine.console_socket, "");
}

/* In a directory whose path no address can hold, and in the place of what a killed shim left. */
static void test_socket(void **state)
{
	struct bench *b = *state;
	char dir[256], name[] = "pty", cwd[256];
	struct err err = ERR_INIT;
	struct stat st;
	int fd = -1;

	str_fmt(dir, sizeof(dir), "%s/%0150d", b->dir, 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(dir), 0);
	for (int i = 0; i < 2; i++) {
		fd_close(&fd);
		if (console_listen(dir, name, &fd, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(stat(name, &st), 0);
		assert_true(S_ISSOCK(st.st_mode));
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	console_close(dir, name, &fd);
	assert_int_equal(stat("pty", &st), -1);
	assert_string_equal(name, "");
	console_close(dir, name, &fd);
	assert_int_equal(chdir(cwd), 0);
	assert_int_equal(console_listen("/nonexistent", "pty", &fd, &err), -1);
	assert_int_equal(fd, -1);
}

int main(void)
{
#define BENCH_TEST(fn) cmocka_unit_test_setup_teardown(fn, bench_setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		BENCH_TEST(test_terminal),
		BENCH_TEST(test_terminal_to_file),
		BENCH_TEST(test_terminal_to_nowhere),
		BENCH_TEST(test_terminal_held),
		BENCH_TEST(test_no_terminal),
		BENCH_TEST(test_no_fifo_for_input),
		BENCH_TEST(test_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
