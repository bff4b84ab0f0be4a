/* SPDX-License-Identifier: Apache-2.0 */
/* The command line frame: options of every kind, operands, help, and what counts as wrong usage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/mem.h"
#include "runtime/cli/cli.h"

struct values {
	bool flag;
	const char *text;
	uint64_t number;
	struct cli_list list;
	struct cli_operands operands;
	bool went_on;
};

/* The parser under test writes here; a command has no other way to hand out what it saw. */
static struct values seen;

static int run(const struct cli_command *self, int argc, char **argv)
{
	const struct cli_option options[] = {
		{ "flag", 'f', CLI_FLAG, &seen.flag, NULL, "a flag" },
		{ "text", 't', CLI_STRING, &seen.text, "TEXT", "a text" },
		{ "number", 0, CLI_NUMBER, &seen.number, "N", "a number" },
		{ "list", 'l', CLI_LIST, &seen.list, "X", "a list" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	int status;

	seen = (struct values){ .text = "default", .number = 7 };
	if (!cli_parse(self, options, 1, 3, argc, argv, &seen.operands, &status))
		return status;
	seen.went_on = true;
	return 42;
}

static const struct cli_command command = {
	.name = "work",
	.operands = "ONE [TWO [THREE]]",
	.summary = "do work",
	.run = run,
};

static const struct cli_command *const commands[] = { &command, NULL };
static const struct cli_program program = {
	.name = "prog", .summary = "Summary.", .version = "1", .commands = commands
};

/* Runs "prog ARGS..." with stdout and stderr on /dev/null. */
static int prog(const char *const *args)
{
	char text[80][256], *argv[80];
	int n = 0, status, out, err;

	snprintf(text[n], sizeof(text[n]), "prog");
	argv[n] = text[n];
	n++;
	for (; *args; args++, n++) {
		snprintf(text[n], sizeof(text[n]), "%s", *args);
		argv[n] = text[n];
	}
	argv[n] = NULL;
	fflush(stdout);
	out = dup(1);
	err = dup(2);
	assert_non_null(freopen("/dev/null", "w", stdout));
	assert_non_null(freopen("/dev/null", "w", stderr));
	status = cli_main(&program, n, argv);
	fflush(stdout);
	fflush(stderr);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	return status;
}

#define PROG(...) prog((const char *const[]){ __VA_ARGS__, NULL })

static void test_values(void **state)
{
	(void)state;
	assert_int_equal(PROG("work", "one"), 42);
	assert_false(seen.flag);
	assert_string_equal(seen.text, "default");
	assert_int_equal(seen.number, 7);
	assert_int_equal(seen.operands.n, 1);
	assert_int_equal(PROG("work", "one", "-f", "--text", "x", "--number=18446744073709551615",
			      "-l", "a", "two", "--list", "b"),
			 42);
	assert_true(seen.flag);
	assert_true(seen.number == UINT64_MAX);
	assert_int_equal(seen.list.n, 2);
	assert_int_equal(seen.operands.n, 2);
}

/* Behind "--" everything belongs to the operands, whatever it looks like. */
static void test_double_dash(void **state)
{
	(void)state;
	assert_int_equal(PROG("work", "one", "-f", "--", "-x", "--text"), 42);
	assert_true(seen.flag);
	assert_int_equal(seen.operands.n, 3);
}

static void test_usage(void **state)
{
	(void)state;
	assert_int_equal(prog((const char *const[]){ NULL }), CLI_USAGE);
	assert_int_equal(PROG("play"), CLI_USAGE);
	assert_int_equal(PROG("work"), CLI_USAGE);
	assert_int_equal(PROG("work", "1", "2", "3", "4"), CLI_USAGE);
	assert_int_equal(PROG("work", "one", "--nope"), CLI_USAGE);
	assert_int_equal(PROG("work", "one", "-x"), CLI_USAGE);
	assert_int_equal(PROG("work", "one", "--text"), CLI_USAGE);
	assert_int_equal(PROG("work", "one", "--number", "-1"), CLI_USAGE);
	assert_int_equal(PROG("work", "one", "--number", "18446744073709551616"), CLI_USAGE);
	assert_int_equal(PROG("work", "one", "--flag=yes"), CLI_USAGE);
	assert_false(seen.went_on);
}

static void test_list_full(void **state)
{
	const char *args[CLI_LIST_MAX + 4] = { "work", "one" };

	(void)state;
	for (int i = 0; i < CLI_LIST_MAX; i++)
		args[2 + i] = "-lx";
	assert_int_equal(prog(args), 42);
	args[2 + CLI_LIST_MAX] = "-lx";
	assert_int_equal(prog(args), CLI_USAGE);
}

static void test_help(void **state)
{
	(void)state;
	assert_int_equal(PROG("--help"), CLI_DONE);
	assert_int_equal(PROG("help"), CLI_DONE);
	assert_int_equal(PROG("help", "work"), CLI_DONE);
	assert_int_equal(PROG("work", "--help"), CLI_DONE);
	assert_int_equal(PROG("work", "-h"), CLI_DONE);
	assert_int_equal(PROG("--version"), CLI_DONE);
	assert_false(seen.went_on);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values), cmocka_unit_test(test_double_dash),
		cmocka_unit_test(test_usage),  cmocka_unit_test(test_list_full),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
