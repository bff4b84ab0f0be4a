/* SPDX-License-Identifier: Apache-2.0 */
/* Logging drivers are shell scripts in the test's directory. */
#include "tests/unit/stdio_bench.h"

#include "shim/host/logger.h"
#include "shim/host/uri.h"

/* Writes the script and gives the URI that names it. */
static const char *driver(struct bench *b, const char *scheme, const char *query,
			  const char *script)
{
	static char uri[256];
	const char *path = bench_path(b, "driver");
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fprintf(f, "#!/bin/sh\ncd '%s'\n%s\n", b->dir, script);
	fclose(f);
	assert_int_equal(chmod(path, 0755), 0);
	assert_true(str_fmt(uri, sizeof(uri), "%s://%s%s", scheme, path, query));
	return uri;
}

static void open_driver(struct bench *b, const char *uri, bool terminal)
{
	struct stdio_spec spec = { .in = "",
				   .out = uri,
				   .err = uri,
				   .id = "container-1",
				   .ns = "some.ns",
				   .terminal = terminal };

	bench_open(b, &spec);
}

/* Everything of the protocol: arguments, environment, both streams, ready by closing. */
static void test_protocol(void **state)
{
	struct bench *b = *state;
	struct job process;

	open_driver(b,
		    driver(b, "binary", "?key=a%20value&b=1+2&b=3&empty=&bare",
			   "printf '%s|' \"$@\" >args; tr '\\0' '\\n' </proc/$$/environ >env\n"
			   "exec 5>&-; cat <&3 >got-out & cat <&4 >got-err; wait"),
		    false);
	assert_false(stdio_is_ready(&b->io));
	bench_await_ready(b);
	bench_start(b, &process, "echo out; echo err >&2");
	bench_exit_and_drain(b, &process);
	bench_assert_file(b, "got-out", "out\n");
	bench_assert_file(b, "got-err", "err\n");
	bench_assert_file(b, "args", "key|a value|b|1 2|empty||bare||");
	bench_assert_file(b, "env", "CONTAINER_ID=container-1\nCONTAINER_NAMESPACE=some.ns\n");
}

static void test_v2_ready(void **state)
{
	struct bench *b = *state;
	struct job process;

	open_driver(b, driver(b, "binary-v2", "", "echo >&5; exec 5>&-; cat <&3 >got"), false);
	bench_await_ready(b);
	bench_start(b, &process, "echo words");
	bench_exit_and_drain(b, &process);
	bench_assert_file(b, "got", "words\n");
}

/* A terminal's output goes to descriptor 3; 4 is at its end from the start. */
static void test_terminal(void **state)
{
	struct bench *b = *state;
	struct job process;

	open_driver(b, driver(b, "binary", "", "exec 5>&-; cat <&4 >err; cat <&3 >got"), true);
	bench_await_ready(b);
	bench_start_on_terminal(b, &process, "echo words");
	bench_exit_and_drain(b, &process);
	bench_assert_file(b, "got", "words\r\n");
	bench_assert_file(b, "err", "");
}

/* The driver dies: a process on a terminal goes on, its output is lost. */
static void test_driver_dies(void **state)
{
	struct bench *b = *state;
	struct job process;

	open_driver(b, driver(b, "binary", "", "exec 5>&-; read line <&3; echo $line >got"), true);
	bench_await_ready(b);
	bench_start_on_terminal(b, &process,
				"echo first; while [ ! -s got ]; do sleep 0.01; done; "
				"head -c 300000 /dev/zero && exit 7");
	bench_exit_and_drain(b, &process);
	assert_int_equal(process.code, 7);
}

/* Under binary-v2 a driver that just ends was not ready; under binary it was. */
static void test_early_end(void **state)
{
	struct bench *b = *state;

	b->free_in_callback = true;
	open_driver(b, driver(b, "binary-v2", "", "exit 0"), false);
	bench_until(b, &b->ready_failed);
	assert_int_equal(b->why.code, ERR_PRECONDITION);
	b->ready_failed = false;
	open_driver(b, driver(b, "binary", "", "exit 0"), false);
	bench_until(b, &b->ready);
}

/* It does not end at the end of file: it is asked to, and has time to do so. */
static void test_stubborn(void **state)
{
	struct bench *b = *state;
	struct job process, look;

	open_driver(b,
		    driver(b, "binary", "",
			   "trap 'echo asked >got; exit' TERM\n"
			   "exec 5>&-; while :; do sleep 0.01; done"),
		    false);
	bench_await_ready(b);
	bench_start(b, &process, "echo out");
	bench_exit_and_drain(b, &process);
	bench_client(b, &look, "while [ ! -s got ]; do sleep 0.01; done");
	bench_until(b, &look.done);
	bench_assert_file(b, "got", "asked\n");
}

/* Given up during the handshake: the driver is ended, nothing is left in the loop. */
static void test_never_ready(void **state)
{
	struct bench *b = *state;
	struct job look;

	open_driver(b, driver(b, "binary", "", "echo $$ >pid; exec sleep 1000"), false);
	bench_client(b, &look, "while [ ! -s pid ]; do sleep 0.01; done");
	bench_until(b, &look.done);
	stdio_deinit(&b->io);
	bench_client(b, &look, "while kill -0 $(cat pid) 2>/dev/null; do sleep 0.01; done");
	bench_until(b, &look.done);
}

/* SIGTERM is ignored, the shim's side is long gone: the process left behind kills it. */
static void test_ignores_sigterm(void **state)
{
	struct bench *b = *state;
	struct job look;

	open_driver(b, driver(b, "binary", "", "trap '' TERM; echo $$ >pid; exec sleep 1000"),
		    false);
	bench_client(b, &look, "while [ ! -s pid ]; do sleep 0.01; done");
	bench_until(b, &look.done);
	stdio_deinit(&b->io);
	bench_client(b, &look, "while kill -0 $(cat pid) 2>/dev/null; do sleep 0.1; done");
	bench_until(b, &look.done);
}

/* The handshake does not come within its bound; the bound is fired by hand. */
static void test_bound(void **state)
{
	struct bench *b = *state;
	struct job look;
	uint64_t first = UINT64_MAX;
	struct timer *bound = NULL;

	open_driver(b, driver(b, "binary", "", "echo $$ >pid; exec sleep 1000"), false);
	bench_client(b, &look, "while [ ! -s pid ]; do sleep 0.01; done");
	bench_until(b, &look.done);
	list_for_each(node, &b->loop.timers) {
		struct timer *t = list_entry(node, struct timer, armed);

		if (t->at_ns < first) {
			first = t->at_ns;
			bound = t;
		}
	}
	assert_non_null(bound);
	timer_arm(bound, &b->loop, 0);
	b->free_in_callback = true;
	bench_until(b, &b->ready_failed);
	assert_int_equal(b->why.code, ERR_TIMEOUT);
}

static void test_refused(void **state)
{
	struct bench *b = *state;
	char uri[1024] = "binary:///bin/true?", *end = uri + strlen(uri);
	struct stdio_spec spec = { .in = "", .out = uri, .err = "", .id = "i", .ns = "n" };
	struct err err;

	for (int i = 0; i < 40; i++)
		end += sprintf(end, "key%d=%d&", i, i);
	assert_int_equal(stdio_open(&b->io, &b->loop, &b->reaper, &spec, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	spec.out = "binary://bin/true";
	assert_int_equal(stdio_open(&b->io, &b->loop, &b->reaper, &spec, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	spec.out = "binary:///etc/passwd";
	assert_int_equal(stdio_open(&b->io, &b->loop, &b->reaper, &spec, &err), -1);
	assert_int_equal(err.code, ERR_IO);
}

static void test_decode(void **state)
{
	static const struct {
		const char *text, *path, *query;
	} rows[] = {
		{ "a%20b", "a b", "a b" },
		{ "a+b", "a+b", "a b" },
		{ "%", "%", "%" },
		{ "%4", "%4", "%4" },
		{ "%zz", "%zz", "%zz" },
		{ "%41%2f%2F", "A//", "A//" },
		{ "x%00y", "x%00y", "x%00y" },
		{ "", "", "" },
	};
	char scheme[URI_SCHEME_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[32];

		strcpy(text, rows[i].text);
		uri_decode(text, false);
		assert_string_equal(text, rows[i].path);
		strcpy(text, rows[i].text);
		uri_decode(text, true);
		assert_string_equal(text, rows[i].query);
	}
	assert_string_equal(uri_scheme("/plain/path", scheme), "/plain/path");
	assert_string_equal(scheme, "");
	assert_string_equal(uri_scheme("a-very-long-scheme-that-nobody-knows://x", scheme), "x");
	assert_int_equal(strlen(scheme), URI_SCHEME_MAX - 1);
}

int main(void)
{
#define BENCH_TEST(fn) cmocka_unit_test_setup_teardown(fn, bench_setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		BENCH_TEST(test_protocol),     BENCH_TEST(test_v2_ready),
		BENCH_TEST(test_terminal),     BENCH_TEST(test_driver_dies),
		BENCH_TEST(test_early_end),    BENCH_TEST(test_stubborn),
		BENCH_TEST(test_never_ready),  BENCH_TEST(test_ignores_sigterm),
		BENCH_TEST(test_bound),	       BENCH_TEST(test_refused),
		cmocka_unit_test(test_decode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
