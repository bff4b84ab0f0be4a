/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "runtime/base/mem.h"
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
		{ "{\"level\":\"fatal\",\"msg\":\"a\\nb\"}", "a?b" },
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
		cmocka_unit_test(last_errors),
		cmocka_unit_test(nothing_there),
		cmocka_unit_test(very_long_lines),
		cmocka_unit_test(declared_platforms),
	};

	return cmocka_run_group_tests_name("engine_log", tests, NULL, NULL);
}
