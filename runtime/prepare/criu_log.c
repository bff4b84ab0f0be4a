/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/prepare/criu_log.h"

#include <string.h>

#include "runtime/base/str.h"
#include "runtime/plan/line_text.h"

#define ERRORS_MAX 8

struct message {
	const char *s;
	size_t n;
};

/* The message of the line of @n bytes at @line, without one when it is no error. */
static struct message error_of(const char *line, size_t n)
{
	static const char mark[] = "Error (";
	const char *at = memmem(line, n, mark, sizeof(mark) - 1);
	const char *end = line + n, *place;

	if (!at)
		return (struct message){ .n = 0 };
	place = memmem(at, (size_t)(end - at), "): ", 3);
	if (!place)
		return (struct message){ .n = 0 };
	place += 3;
	return (struct message){ place, (size_t)(end - place) };
}

/* @m becomes the last one, unless the same words are there; the oldest makes room. */
static void remember(struct message list[ERRORS_MAX], size_t *n, struct message m)
{
	size_t i = 0;

	while (i < *n && (list[i].n != m.n || memcmp(list[i].s, m.s, m.n) != 0))
		i++;
	if (i < *n)
		return;
	if (*n == ERRORS_MAX) {
		memmove(list, list + 1, (ERRORS_MAX - 1) * sizeof(*list));
		(*n)--;
	}
	list[(*n)++] = m;
}

bool criu_log_errors(const char *text, char ret[CRIU_ERRORS_MAX])
{
	struct message list[ERRORS_MAX];
	size_t n = 0, first, room = 0;
	struct text out;

	for (const char *p = text; *p; p += *p == '\n') {
		size_t line = strcspn(p, "\n");
		struct message m = error_of(p, line);

		if (m.n)
			remember(list, &n, m);
		p += line;
	}
	/* The last ones that fit whole, the very last cut if need be. */
	for (first = n; first > 0 && (first == n || room + list[first - 1].n + 2 < CRIU_ERRORS_MAX);
	     first--)
		room += list[first - 1].n + 2;
	text_init(&out, ret, CRIU_ERRORS_MAX);
	for (size_t i = first; i < n; i++) {
		char message[CRIU_ERRORS_MAX];

		(void)str_fmt(message, sizeof(message), "%.*s", (int)list[i].n, list[i].s);
		text_add(&out, i == first ? "" : "; ");
		text_name(&out, message, CRIU_ERRORS_MAX - 1);
	}
	return n > 0;
}
