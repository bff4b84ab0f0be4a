/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/prepare/criu_log.h"
#include "runtime/prepare/declared_platform.h"
#include "runtime/prepare/engine_log.h"

static void last_errors(void **state)
{
	static const char *const rows[][2] = {
		{ "{\"level\":\"error\",\"msg\":\"one\",\"time\":\"t\"}\n"
		  "{\"level\":\"error\",\"msg\":\"exec: \\\"x\\\": not found\"}\n"
		  "{\"level\":\"info\",\"msg\":\"three\"}\n",
		  "exec: \"x\": not found" },
		{ "{\"msg\":\"crun says\",\"level\":\"error\"}", "crun says" },
		{ "{\"level\":\"fatal\",\"msg\":\"a\\nb\"}", "a b" },
		{ "2024-01-01 plain text\nlast line\n\n  \n", "last line" },
		{ "{\"level\":\"error\",\"msg\":\"json wins\"}\nplain\n", "json wins" },
		{ "{\"level\":\"error\",\"msg\":\"cut", "{\"level\":\"error\",\"msg\":\"cut" },
		/* crun 1.28 */
		{ "{\n  \"msg\": \"one\",\n  \"level\": \"error\"\n}\n"
		  "{\n  \"msg\": \"open `\\/x`: }\",\n  \"level\": \"error\"\n}\n",
		  "open `/x`: }" },
		{ "{\n  \"msg\": \"no newline at the end\",\n  \"level\": \"error\"\n}",
		  "no newline at the end" },
		{ "{\n  \"msg\": \"cut", "  \"msg\": \"cut" },
	};
	char message[ENGINE_MESSAGE_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_true(engine_log_last_error(rows[i][0], message));
		assert_string_equal(message, rows[i][1]);
	}
}

static void errors_of_criu(void **state)
{
	static const char locked[] =
		"(00.042396) net: Lock network\n"
		"Error (criu/util.c:642): execvp(\"iptables-restore\", ...) failed: No such file\n"
		"(00.043043) Error (criu/util.c:657): exited, status=1\n"
		"(00.043640) Error (criu/net.c:3436): net: Locking network failed\n"
		"(00.047576) Error (criu/util.c:657): exited, status=1\n"
		"(00.047681) Error (criu/cr-dump.c:1975): Dumping FAILED.\n";
	static const char restored[] = "(00.1)      1: Error (criu/x.c:1): File bin/\x1bsh is bad\n"
				       "(00.2) Warn  (criu/y.c:2): nothing\n"
				       "Error (cut";
	char errors[CRIU_ERRORS_MAX];

	(void)state;
	assert_true(criu_log_errors(locked, errors));
	assert_string_equal(errors, "execvp(\"iptables-restore\", ...) failed: No such file; "
				    "exited, status=1; net: Locking network failed; "
				    "Dumping FAILED.");
	assert_true(criu_log_errors(restored, errors));
	assert_string_equal(errors, "File bin/?sh is bad");
	assert_false(criu_log_errors("", errors));
	assert_false(criu_log_errors("(00.1) all is well\nError ()", errors));
}

/* Of many, the last ones; of a long one, what fits. */
static void many_errors_of_criu(void **state)
{
	char errors[CRIU_ERRORS_MAX], text[8192] = "";
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 30; i++)
		n += (size_t)snprintf(
			text + n, sizeof(text) - n,
			"Error (a): number %d of a row that is somewhat long, as errors are\n", i);
	assert_true(criu_log_errors(text, errors));
	assert_true(strncmp(errors, "number 2", 8) == 0);
	assert_non_null(
		strstr(errors, "; number 29 of a row that is somewhat long, as errors are"));
	memset(text, 'x', 3000);
	memcpy(text, "Error (a): ", 11);
	text[3000] = '\0';
	assert_true(criu_log_errors(text, errors));
	assert_int_equal(strlen(errors), CRIU_ERRORS_MAX - 1);
}

static void nothing_there(void **state)
{
	char message[ENGINE_MESSAGE_MAX];

	(void)state;
	assert_false(engine_log_last_error("", message));
	assert_false(engine_log_last_error("\n\n", message));
	assert_false(engine_log_last_error("{\"level\":\"info\",\"msg\":\"x\"}\n", message));
	assert_false(engine_log_last_error("{\"level\":\"error\"}\n", message));
}

static void very_long_lines(void **state)
{
	static char text[5000];
	char message[ENGINE_MESSAGE_MAX];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	assert_true(engine_log_last_error(text, message));
	assert_true(strlen(message) < ENGINE_MESSAGE_MAX);
}

static void declared_platforms(void **state)
{
	static const char *const rows[][2] = {
		{ "platform=linux/arm64/v8\nimage=x\n", "arm64" },
		{ "image=x\nplatform=linux/s390x", "s390x" },
		{ "error=nobody knows\n", "" },
		{ "platform=\n", "" },
		{ "platform=a/b/c/d\n", "" },
		{ "\x01\x02garbage", "" },
		{ "", "" },
	};
	struct platform p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		declared_parse(rows[i][0], &p);
		assert_string_equal(p.arch, rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_errors),	       cmocka_unit_test(errors_of_criu),
		cmocka_unit_test(many_errors_of_criu), cmocka_unit_test(nothing_there),
		cmocka_unit_test(very_long_lines),     cmocka_unit_test(declared_platforms),
	};

	return cmocka_run_group_tests_name("engine_log", tests, NULL, NULL);
}
