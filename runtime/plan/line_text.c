/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/plan/line_text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/utf8.h"

void text_init(struct text *t, char *place, size_t size)
{
	t->s = place;
	t->size = size;
	t->n = 0;
	place[0] = '\0';
}

size_t text_character(const char *s)
{
	uint32_t c;
	size_t n = utf8_decode((const unsigned char *)s, &c);

	return utf8_is_shown(c) ? n : 0;
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
