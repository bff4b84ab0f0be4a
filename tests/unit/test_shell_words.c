/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "runtime/image/shell_words.h"

/* The words of @text, joined by "|". */
static const char *all(const char *text, size_t n)
{
	static char joined[4096];
	struct shell_words w;

	joined[0] = '\0';
	shell_words_init(&w, text, n);
	while (shell_words_next(&w)) {
		strcat(joined, joined[0] ? "|" : "");
		strcat(joined, w.word);
	}
	return joined;
}

static void expect(const char *text, const char *want)
{
	assert_string_equal(all(text, strlen(text)), want);
}

static void test_words(void **state)
{
	(void)state;
	expect("", "");
	expect("/opt/tool uname -m", "/opt/tool|uname");
	expect("a;b&&c|d>e $(f) `g`", "a|b|c|d|e|f|g");
	expect("exec \"/bin/x\" 'y'", "exec|/bin/x|y");
	expect("#!/bin/sh\n# a comment /bin/no\nrun.sh", "run.sh");
	expect("$HOME/bin/x ${A}y PATH=/a b$c d", "/a|d");
}

/* Those of @text that stand where a command does. */
static void expect_commands(const char *text, const char *want)
{
	char joined[256] = "";
	struct shell_words w;

	shell_words_init(&w, text, strlen(text));
	while (shell_words_next(&w)) {
		if (!w.command)
			continue;
		strcat(joined, joined[0] ? "|" : "");
		strcat(joined, w.word);
	}
	assert_string_equal(joined, want);
}

static void test_commands(void **state)
{
	(void)state;
	expect_commands("cd /x && exec ./y -z w", "cd|exec|./y");
	expect_commands("tini -- /x y", "tini|/x|y");
	expect_commands("exec gosu postgres /x", "exec|gosu|/x");
	expect_commands("gosu $USER /x; su-exec; /y", "gosu|/x|su-exec|/y");
	expect_commands("A=gosu b", "b");
}

static void test_odd_bytes(void **state)
{
	char big[600];

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_string_equal(all(big, sizeof(big)), "");
	assert_string_equal(all("a\0b\xff\x80 c", 7), "a|b|c");
	assert_string_equal(all("${", 2), "");
	assert_string_equal(all("$", 1), "");
	assert_string_equal(all("#", 1), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_odd_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
