/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/image/script.h"
#include "runtime/image/sniff.h"
#include "runtime/image/text_kind.h"

static void interpreters(void **state)
{
	static const struct {
		const char *line, *interpreter;
		bool argument, crlf;
	} rows[] = {
		{ "#!/bin/sh\n", "/bin/sh", false, false },
		{ "#!/bin/sh", "/bin/sh", false, false },
		{ "#! /bin/sh  \n", "/bin/sh", false, false },
		{ "#!\t/bin/sh\t-e x\n", "/bin/sh", true, false },
		{ "#!/usr/bin/env python3\n", "/usr/bin/env", true, false },
		{ "#!/bin/sh\r\n", "/bin/sh\r", false, true },
		{ "#!/bin/sh -e\r\n", "/bin/sh", true, false },
		{ "#!relative\n", "relative", false, false },
		{ "#!/bin/sh\n#!/bin/other\n", "/bin/sh", false, false },
	};
	struct script s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(script_read(rows[i].line, strlen(rows[i].line), &s), SCRIPT_OK);
		assert_string_equal(s.interpreter, rows[i].interpreter);
		assert_int_equal(s.argument[0] != '\0', rows[i].argument);
		assert_int_equal(s.crlf, rows[i].crlf);
	}
}

static void nameless(void **state)
{
	static const char *const lines[] = { "#!", "#!\n", "#!   \n", "#!\t", "#!\n/bin/sh\n" };
	struct script s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(script_read(lines[i], strlen(lines[i]), &s), SCRIPT_NAMELESS);
	assert_int_equal(script_read("# !/bin/sh", 10, &s), SCRIPT_NONE);
	assert_int_equal(script_read("#", 1, &s), SCRIPT_NONE);
	assert_int_equal(script_read("", 0, &s), SCRIPT_NONE);
}

/* The kernel sees 256 bytes: a name that fills them may be longer, one with a blank behind is not.
 */
static void long_names(void **state)
{
	char line[300];
	struct script s;

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "#!/", 3);
	assert_int_equal(script_read(line, 300, &s), SCRIPT_LONG);
	assert_int_equal(script_read(line, 256, &s), SCRIPT_LONG);
	assert_int_equal(script_read(line, 255, &s), SCRIPT_OK);
	assert_int_equal(strlen(s.interpreter), 253);
	line[255] = ' ';
	assert_int_equal(script_read(line, 300, &s), SCRIPT_OK);
	assert_int_equal(strlen(s.interpreter), 253);
	line[200] = '\n';
	assert_int_equal(script_read(line, 300, &s), SCRIPT_OK);
	assert_int_equal(strlen(s.interpreter), 198);
}

static void kinds(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		enum image_kind kind;
	} rows[] = {
		{ "", 0, IMAGE_EMPTY },
		{ "\0\0\0\0\0", 5, IMAGE_ZEROS },
		{ "\x7f"
		  "ELF",
		  4, IMAGE_CUT },
		{ "\x7f"
		  "EL",
		  3, IMAGE_DATA },
		{ "#!/bin/sh\n", 10, IMAGE_SCRIPT },
		{ "#!\n", 3, IMAGE_NAMELESS },
		{ "MZqFpD='", 8, IMAGE_APE },
		{ "jartsr='", 8, IMAGE_APE },
		{ "\xff\xfe#\0!\0", 6, IMAGE_UTF16 },
		{ "\xfe\xff\0#\0!", 6, IMAGE_UTF16 },
		{ "<!DOCTYPE html>", 15, IMAGE_HTML },
		{ "\r\n<HTML>", 8, IMAGE_HTML },
		{ "<?xml version", 13, IMAGE_XML },
		{ "<Error><Code>", 13, IMAGE_XML },
		{ "{\"message\": 1}", 14, IMAGE_JSON },
		{ "{ \n \"a\"", 7, IMAGE_JSON },
		{ "{ echo a; }", 11, IMAGE_TEXT },
		{ "[ -f x ] && y", 13, IMAGE_TEXT },
		{ "404: Not Found\n", 15, IMAGE_ANSWER },
		{ "not found", 9, IMAGE_ANSWER },
		{ "echo Not Found", 14, IMAGE_TEXT },
		{ "version https://git-lfs.github.com/spec/v1\noid", 46, IMAGE_LFS },
		{ "\xef\xbb\xbf#!/bin/sh\n", 13, IMAGE_BOM },
		{ "echo hi\n", 8, IMAGE_TEXT },
		{ "\xfe\xed\xfa\xcf....", 8, IMAGE_MACHO },
		{ "\xcf\xfa\xed\xfe....", 8, IMAGE_MACHO },
		{ "\xca\xfe\xba\xbe\0\0\0\2", 8, IMAGE_MACHO },
		{ "\xca\xfe\xba\xbe\0\0\0\x34", 8, IMAGE_JAVA_CLASS },
		{ "MZ\x90", 3, IMAGE_PE },
		{ "\0asm\1\0\0\0", 8, IMAGE_WASM },
		{ "PK\3\4", 4, IMAGE_ZIP },
		{ "\x1f\x8b\x08", 3, IMAGE_GZIP },
		{ "\1\2\3\4", 4, IMAGE_DATA },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(sniff(rows[i].bytes, rows[i].n, rows[i].n), rows[i].kind);
	for (int kind = 0; kind < IMAGE_KIND_N; kind++)
		assert_non_null(sniff_words((enum image_kind)kind));
}

static void languages(void **state)
{
	static const struct {
		const char *name, *text, *command;
	} rows[] = {
		{ "/app/main.py", "x = 1\n", "python3" },
		{ "/app/index.js", "", "node" },
		{ "/app/server.mjs", "", "node" },
		{ "/app/x.rb", "", "ruby" },
		{ "/app/run", "\nimport sys\nprint(1)\n", "python3" },
		{ "/app/run", "'use strict'\n", "node" },
		{ "/app/run", "<?php echo 1;\n", "php" },
		{ "/app/run", "#!\nuse strict;\n", "perl" },
		{ "/app/run.sh", "echo import sys\n", NULL },
		{ "/app/run", "import -window root x.png\n", NULL },
		{ "/app/run", "exec node x.js\n", NULL },
		{ "/app/run", "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct language *l =
			text_language(rows[i].name, rows[i].text, strlen(rows[i].text));

		if (!rows[i].command)
			assert_null(l);
		else
			assert_string_equal(l ? l->command : "", rows[i].command);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(languages), cmocka_unit_test(interpreters),
		cmocka_unit_test(nameless),  cmocka_unit_test(long_names),
		cmocka_unit_test(kinds),
	};

	return cmocka_run_group_tests_name("script", tests, NULL, NULL);
}
