/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/image/text_kind.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

static const char white[] = " \t\r\n";

static size_t skip_white(const char *s, size_t n)
{
	size_t at = 0;

	while (at < n && s[at] && strchr(white, s[at]))
		at++;
	return at;
}

static bool starts(const char *s, size_t n, const char *word)
{
	size_t length = strlen(word);

	return n >= length && strncasecmp(s, word, length) == 0;
}

/* An object: a brace and then a quoted name. A shell's brace is followed by a command. */
static bool is_json(const char *s, size_t n)
{
	size_t at = 1;

	if (!n || s[0] != '{')
		return false;
	at += skip_white(s + 1, n - 1);
	return at < n && (s[at] == '"' || (s[at] == '}' && at + 1 >= n));
}

/* The whole file is what a server says instead of a file. */
static bool is_answer(const char *s, size_t n)
{
	static const char *const answers[] = {
		"Not Found",	 "404: Not Found", "404 Not Found",   "404 page not found",
		"Forbidden",	 "403 Forbidden",  "Unauthorized",    "401 Unauthorized",
		"Access Denied", "Bad Gateway",	   "502 Bad Gateway", "Internal Server Error",
		"File not found"
	};

	while (n && (strchr(white, s[n - 1]) || s[n - 1] == '.'))
		n--;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		if (strlen(answers[i]) == n && strncasecmp(s, answers[i], n) == 0)
			return true;
	return false;
}

enum image_kind text_kind(const void *bytes, size_t n)
{
	const char *s = bytes;
	size_t at = skip_white(s, n);

	s += at;
	n -= at;
	if (starts(s, n, "<!doctype html") || starts(s, n, "<html") || starts(s, n, "<head"))
		return IMAGE_HTML;
	if (starts(s, n, "<?xml") || starts(s, n, "<!doctype") || starts(s, n, "<error"))
		return IMAGE_XML;
	if (starts(s, n, "version https://git-lfs.github.com/spec/"))
		return IMAGE_LFS;
	if (is_json(s, n))
		return IMAGE_JSON;
	return is_answer(s, n) ? IMAGE_ANSWER : IMAGE_TEXT;
}

static const struct language python = { "a Python script", "python3" },
			     node = { "a JavaScript program", "node" },
			     ruby = { "a Ruby script", "ruby" }, perl = { "a Perl script", "perl" },
			     php = { "a PHP script", "php" }, lua = { "a Lua script", "lua" },
			     r = { "an R script", "Rscript" }, tcl = { "a Tcl script", "tclsh" },
			     bash = { "a Bash script", "bash" };

static const struct {
	const char *end; /* of the file's name */
	const struct language *language;
} names[] = {
	{ ".py", &python }, { ".js", &node }, { ".mjs", &node },  { ".cjs", &node },
	{ ".rb", &ruby },   { ".pl", &perl }, { ".php", &php },	  { ".lua", &lua },
	{ ".R", &r },	    { ".tcl", &tcl }, { ".bash", &bash },
};

/* How a line begins that is in no other language, least of all in a shell's. */
static const struct {
	const char *start;
	const struct language *language;
} lines[] = {
	{ "<?php", &php },
	{ "from __future__ import ", &python },
	{ "import os", &python },
	{ "import sys", &python },
	{ "import argparse", &python },
	{ "def main(", &python },
	{ "# -*- coding:", &python },
	{ "'use strict'", &node },
	{ "\"use strict\"", &node },
	{ "const fs = require(", &node },
	{ "const express = require(", &node },
	{ "module.exports", &node },
	{ "# frozen_string_literal:", &ruby },
	{ "require 'bundler", &ruby },
	{ "use strict;", &perl },
	{ "use warnings;", &perl },
};

static const struct language *by_line(const char *s, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		size_t length = strlen(lines[i].start);

		if (n >= length && memcmp(s, lines[i].start, length) == 0)
			return lines[i].language;
	}
	return NULL;
}

const struct language *text_language(const char *name, const void *bytes, size_t n)
{
	const char *s = bytes, *end = s + n;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_ends(name, names[i].end))
			return names[i].language;
	while (s < end) {
		const struct language *found = by_line(s, (size_t)(end - s));
		const char *newline = memchr(s, '\n', (size_t)(end - s));

		if (found || !newline)
			return found;
		s = newline + 1;
	}
	return NULL;
}
