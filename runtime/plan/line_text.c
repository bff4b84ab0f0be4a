/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/plan/line_text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/mem.h"

void text_init(struct text *t, char *place, size_t size)
{
	t->s = place;
	t->size = size;
	t->n = 0;
	place[0] = '\0';
}

/*
 * Characters that show nothing and change how others are shown: a name with them reads as another
 * one. Those that set the direction of text, join or break, and mark the start of a file (Unicode's
 * Cf and the two separators), and tags.
 */
static bool is_invisible(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0xad, 0xad },	      { 0x600, 0x605 },	    { 0x61c, 0x61c },
		{ 0x6dd, 0x6dd },     { 0x70f, 0x70f },	    { 0x890, 0x891 },
		{ 0x8e2, 0x8e2 },     { 0x180e, 0x180e },   { 0x200b, 0x200f },
		{ 0x2028, 0x202e },   { 0x2060, 0x206f },   { 0xfeff, 0xfeff },
		{ 0xfff9, 0xfffb },   { 0x110bd, 0x110bd }, { 0x110cd, 0x110cd },
		{ 0x13430, 0x1343f }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a },
		{ 0xe0000, 0xe007f },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

size_t text_character(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	uint32_t value;
	size_t n;

	if (*p < 0x80)
		return *p >= 0x20 && *p != 0x7f;
	if (*p < 0xc2 || *p > 0xf4)
		return 0;
	n = *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
	value = *p & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (p[i] & 0x3fu);
	}
	/* Overlong forms, surrogates, beyond Unicode, and the C1 control characters. */
	if ((n == 3 && value < 0x800) || (n == 4 && value < 0x10000) || value > 0x10ffff ||
	    (value >= 0xd800 && value <= 0xdfff) || value < 0xa0 || is_invisible(value))
		return 0;
	return n;
}

static void add_bytes(struct text *t, const char *s, size_t n)
{
	if (t->n + n >= t->size)
		return;
	memcpy(t->s + t->n, s, n);
	t->n += n;
	t->s[t->n] = '\0';
}

void text_add(struct text *t, const char *s)
{
	size_t room = t->size - t->n - 1, n = strlen(s);

	add_bytes(t, s, n < room ? n : room);
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->s + t->n, t->size - t->n, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	t->n += (size_t)n < t->size - t->n ? (size_t)n : t->size - t->n - 1;
}

/* Appends the characters of @s up to @end. */
static void add_clean(struct text *t, const char *s, const char *end)
{
	while (s < end) {
		size_t n = text_character(s);

		if (n && s + n <= end)
			add_bytes(t, s, n);
		else
			add_bytes(t, "?", 1);
		s += n ? n : 1;
	}
}

/* Moves forward to the start of a character. */
static const char *boundary(const char *p)
{
	while (((unsigned char)*p & 0xc0) == 0x80)
		p++;
	return p;
}

void text_name(struct text *t, const char *name, size_t max)
{
	size_t n = strlen(name), head = max / 3;
	const char *tail;

	if (n <= max) {
		add_clean(t, name, name + n);
		return;
	}
	tail = boundary(name + n - (max - head - 3));
	while (head && ((unsigned char)name[head] & 0xc0) == 0x80)
		head--;
	add_clean(t, name, name + head);
	text_add(t, "...");
	add_clean(t, tail, name + n);
}

bool text_is_operand(const char *s, size_t max)
{
	size_t n = strlen(s);

	return n && n <= max && s[0] != '-' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			 "/._+-@:,=~") == n;
}
