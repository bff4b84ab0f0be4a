/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/logfmt.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/utf8.h"

#define CUT "..."
#define CUT_LEN (sizeof(CUT) - 1)
#define ESCAPE_MAX 8
/* The shortest value that still says something. */
#define VALUE_MIN 8

static bool is_plain(const char *s, size_t n)
{
	return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/@^+") ==
	       n;
}

static void add(struct logfmt *l, const char *s, size_t n)
{
	memcpy(l->s + l->n, s, n);
	l->n += n;
}

/* How the character that is not shown as it is, or the single byte, is written. */
static size_t escape(uint32_t c, char ret[ESCAPE_MAX])
{
	static const char with_letter[] = "\"\"\\\\\nn\tt\rr";

	for (const char *p = with_letter; *p; p += 2)
		if ((unsigned char)*p == c) {
			ret[0] = '\\';
			ret[1] = p[1];
			return 2;
		}
	return (size_t)snprintf(ret, ESCAPE_MAX, "\\u%04x", c <= 0xffff ? c : 0xfffd);
}

/* Of the character at @s: its bytes, and *@ret_as of @ret_n that are written for it. */
static size_t next(const char *s, char room[ESCAPE_MAX], const char **ret_as, size_t *ret_n)
{
	uint32_t c;
	size_t n = utf8_decode((const unsigned char *)s, &c);

	*ret_as = room;
	if (!n) {
		*ret_n = escape(0xfffd, room);
		return 1;
	}
	if (utf8_is_shown(c) && c != '"' && c != '\\') {
		*ret_as = s;
		*ret_n = n;
	} else {
		*ret_n = escape(c, room);
	}
	return n;
}

/* At most @max bytes of what stands between the quotes. */
static void add_escaped(struct logfmt *l, const char *s, size_t max)
{
	size_t end = l->n + max, mark = l->n, n;
	char room[ESCAPE_MAX];
	const char *as;

	while (*s) {
		s += next(s, room, &as, &n);
		if (l->n + n > end) {
			l->n = mark;
			add(l, CUT, CUT_LEN);
			return;
		}
		add(l, as, n);
		if (l->n + CUT_LEN <= end)
			mark = l->n;
	}
}

void logfmt_add(struct logfmt *l, const char *key, const char *value, size_t max)
{
	size_t name = strlen(key), n = value ? strlen(value) : 0;
	size_t room = l->size - l->n;

	if (!n || room < name + 2 + VALUE_MIN)
		return;
	room -= name + 2;
	max = max < room ? max : room;
	if (l->n)
		add(l, " ", 1);
	add(l, key, name);
	add(l, "=", 1);
	if (n <= max && is_plain(value, n)) {
		add(l, value, n);
		return;
	}
	add(l, "\"", 1);
	add_escaped(l, value, max - 2);
	add(l, "\"", 1);
}
