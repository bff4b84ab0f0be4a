/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/output.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "runtime/plan/line_text.h"

static bool colours(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no && *no) && !(term && str_eq(term, "dumb")) && isatty(STDOUT_FILENO);
}

const char *tone_on(enum tone tone)
{
	static const char *const sequences[] = {
		[TONE_PLAIN] = "",	   [TONE_GOOD] = "\033[32m", [TONE_WARN] = "\033[33m",
		[TONE_BAD] = "\033[1;31m", [TONE_DIM] = "\033[2m",
	};

	return colours() ? sequences[tone] : "";
}

const char *tone_off(void)
{
	return colours() ? "\033[0m" : "";
}

const char *shown(char *place, size_t size, const char *text)
{
	struct text t;

	text_init(&t, place, size);
	text_name(&t, text, size - 1);
	return place;
}

/* --- tables ---------------------------------------------------------------------------------- */

struct row {
	char *cells[TABLE_COLUMNS];
	size_t n, toned;
	enum tone tone;
};

static void row_deinit(struct row *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->cells[i]);
}

void table_deinit(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		row_deinit(&t->rows[i]);
	free(t->rows);
	*t = (struct table){ NULL, 0, 0 };
}

static bool grow(struct table *t)
{
	size_t cap = t->cap ? 2 * t->cap : 32;
	struct row *rows;

	if (t->n < t->cap)
		return true;
	rows = realloc(t->rows, cap * sizeof(*rows));
	if (!rows)
		return false;
	t->rows = rows;
	t->cap = cap;
	return true;
}

void table_add(struct table *t, const char *const *cells, size_t n, enum tone tone, size_t toned)
{
	struct row row = { .n = n, .tone = tone, .toned = toned };

	ASSERT(n <= TABLE_COLUMNS);
	for (size_t i = 0; i < n; i++)
		row.cells[i] = strdup(cells[i]);
	for (size_t i = 0; i < n; i++)
		if (!row.cells[i])
			row.n = 0;
	if (row.n == n && grow(t))
		t->rows[t->n++] = row;
	else
		for (size_t i = 0; i < n; i++)
			free(row.cells[i]);
}

static size_t width_of(const struct table *t, size_t column)
{
	size_t width = 0;

	for (size_t i = 0; i < t->n; i++) {
		size_t n = column < t->rows[i].n ? strlen(t->rows[i].cells[column]) : 0;

		width = n > width ? n : width;
	}
	return width;
}

/* Without the empty cells at the end, which would only leave blanks. */
static size_t cells_of(const struct row *r)
{
	size_t n = r->n;

	while (n && !r->cells[n - 1][0])
		n--;
	return n;
}

void table_print(const struct table *t, unsigned int indent)
{
	size_t width[TABLE_COLUMNS];

	for (size_t c = 0; c < TABLE_COLUMNS; c++)
		width[c] = width_of(t, c);
	for (size_t i = 0; i < t->n; i++) {
		const struct row *r = &t->rows[i];
		size_t n = cells_of(r);

		printf("%*s", (int)indent, "");
		for (size_t c = 0; c < n; c++) {
			bool toned = c == r->toned && r->tone != TONE_PLAIN;

			printf("%s%s%s", toned ? tone_on(r->tone) : "", r->cells[c],
			       toned ? tone_off() : "");
			if (c + 1 < n)
				printf("%*s", (int)(width[c] - strlen(r->cells[c]) + 2), "");
		}
		putchar('\n');
	}
}

void print_wrapped(const char *text, unsigned int indent, unsigned int width)
{
	size_t room = width - indent;

	while (*text) {
		size_t n = strlen(text);

		if (n > room) {
			for (n = room; n && text[n] != ' '; n--)
				continue;
			n = n ? n : strcspn(text, " ");
		}
		printf("%*s%.*s\n", (int)indent, "", (int)n, text);
		text += n + strspn(text + n, " ");
	}
}

/* --- JSON ------------------------------------------------------------------------------------ */

void json_put_text(json *o, const char *key, const char *value)
{
	json_object_object_add(o, key, value ? json_object_new_string(value) : NULL);
}

void json_put_bool(json *o, const char *key, bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

void json_put_number(json *o, const char *key, int64_t value)
{
	json_object_object_add(o, key, json_object_new_int64(value));
}

void json_show(json *take)
{
	puts(json_object_to_json_string_ext(take, JSON_C_TO_STRING_PRETTY |
							  JSON_C_TO_STRING_SPACED |
							  JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(take);
}

void be_quiet(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	fflush(stdout);
	if (fd < 0)
		return;
	(void)dup2(fd, STDOUT_FILENO);
	(void)dup2(fd, STDERR_FILENO);
	close(fd);
}
