/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/image/script.h"

#include <string.h>

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t skip_blanks(const char *s, size_t at, size_t end)
{
	while (at < end && blank(s[at]))
		at++;
	return at;
}

/* The end of the word that starts at @at: a blank, a NUL or @end. */
static size_t word_end(const char *s, size_t at, size_t end)
{
	while (at < end && s[at] && !blank(s[at]))
		at++;
	return at;
}

enum script_result script_read(const void *bytes, size_t n, struct script *ret)
{
	char head[PROGRAM_HEAD] = { 0 };
	size_t start, stop, line;
	const char *newline;

	memcpy(head, bytes, n < sizeof(head) ? n : sizeof(head));
	if (head[0] != '#' || head[1] != '!')
		return SCRIPT_NONE;
	newline = memchr(head, '\n', sizeof(head));
	line = newline ? (size_t)(newline - head) : sizeof(head);
	start = skip_blanks(head, 2, line);
	stop = word_end(head, start, line);
	if (start == stop)
		return SCRIPT_NAMELESS;
	/* Without a newline in sight, a name that fills the rest may be longer than we see. */
	if (!newline && stop == line)
		return SCRIPT_LONG;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->interpreter, head + start, stop - start);
	ret->crlf = memchr(ret->interpreter, '\r', stop - start) != NULL;
	if (stop < line && head[stop]) {
		size_t argument = skip_blanks(head, stop, line);

		while (line > argument && blank(head[line - 1]))
			line--;
		memcpy(ret->argument, head + argument, line - argument);
	}
	ret->argument[sizeof(ret->argument) - 1] = '\0';
	return SCRIPT_OK;
}
