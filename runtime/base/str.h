/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "runtime/base/err.h"

/* Copies @src into @dst of @size bytes, always terminated. False when it did not fit whole. */
bool str_copy(char *dst, size_t size, const char *src);

/* Formats into @dst of @size bytes. False when it did not fit whole. */
__attribute__((format(printf, 3, 4))) bool str_fmt(char *dst, size_t size, const char *fmt, ...);

/* A decimal number without sign or white space, at most @max. ERR_INVALID names @what. */
MUST_CHECK int str_u64(const char *s, const char *what, uint64_t max, uint64_t *ret,
		       struct err *err);

static inline bool str_eq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* What follows @prefix in @s, or NULL when @s does not start with it. */
static inline const char *str_after(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

static inline bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && strcmp(s + n - m, suffix) == 0;
}

/* True when @list, words separated by spaces, has the word @name of @n bytes. */
bool str_lists(const char *list, const char *name, size_t n);

/*
 * Takes the next line off @rest: its start and its length without the newline, which is not
 * terminated. False at the end of the text.
 */
static inline bool str_line(const char **rest, const char **ret_line, size_t *ret_n)
{
	const char *line = *rest;
	size_t n = strcspn(line, "\n");

	if (!*line)
		return false;
	*rest = line + n + (line[n] == '\n');
	*ret_line = line;
	*ret_n = n;
	return true;
}

/* containerd's identifier rule: letters and digits, single . _ - between them, at most 76 bytes. */
bool str_is_identifier(const char *s);
