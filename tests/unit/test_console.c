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
		assert_int_equal(b->io.engine_fds[n], -1);
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
	assert_string_equal(b->io.console_socket, "");
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
	bench_send_fds(b->io.console_socket, NULL, 0);
	refuse(b);
	open_terminal(b);
	bench_send_fds(b->io.console_socket, &null_fd, 1);
	refuse(b);
	before = dup(null_fd);
	close(before);
	open_terminal(b);
	bench_send_fds(b->io.console_socket, fds, 3);
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
	assert_string_equal(b->io.console_socket, "");
}

static void expect_socket_in(const char *parent)
{
	char path[64], dir[64];
	struct stat st;
	struct err err = ERR_INIT;
	int fd = -1;

	if (console_listen(path, sizeof(path), &fd, &err) < 0)
		fail_msg("%s", err.text);
	assert_non_null(str_after(path, parent));
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	strcpy(dir, path);
	*strrchr(dir, '/') = '\0';
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	console_close(path, &fd);
	assert_int_equal(stat(dir, &st), -1);
	console_close(path, &fd);
}

/* $XDG_RUNTIME_DIR when it can be used, else /run (or, without rights there, /tmp). */
static void test_directory(void **state)
{
	struct bench *b = *state;
	char text[128];

	assert_int_equal(setenv("XDG_RUNTIME_DIR", b->dir, 1), 0);
	expect_socket_in(b->dir);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	text[0] = '/';
	assert_int_equal(setenv("XDG_RUNTIME_DIR", text, 1), 0);
	expect_socket_in(access("/run", W_OK) == 0 ? "/run/" : "/tmp/");
	assert_int_equal(unsetenv("XDG_RUNTIME_DIR"), 0);
	expect_socket_in(access("/run", W_OK) == 0 ? "/run/" : "/tmp/");
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
		BENCH_TEST(test_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
