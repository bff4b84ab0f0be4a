/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/image/words.h"

#include <string.h>

static bool in_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("._/+-", c));
}

void words_init(struct words *w, const char *text, size_t n)
{
	w->p = text;
	w->end = text + n;
	w->word[0] = '\0';
}

/* $NAME and ${NAME}: what follows up to the next character outside a word is unknown. */
static const char *skip_variable(const char *p, const char *end)
{
	p++;
	if (p < end && *p == '{')
		while (p < end && *p != '}' && *p != '\n')
			p++;
	while (p < end && (in_word(*p) || *p == '}'))
		p++;
	return p;
}

static const char *skip_comment(const char *p, const char *end)
{
	while (p < end && *p != '\n')
		p++;
	return p;
}

static const char *skip_noise(const char *p, const char *end)
{
	char before = ' ';

	while (p < end && !in_word(*p)) {
		if (*p == '$')
			p = skip_variable(p, end);
		else if (*p == '#' && (before == ' ' || before == '\t' || before == '\n'))
			p = skip_comment(p, end);
		else
			before = *p++;
	}
	return p;
}

bool words_next(struct words *w)
{
	for (;;) {
		const char *start = w->p = skip_noise(w->p, w->end);
		size_t n;

		while (w->p < w->end && in_word(*w->p))
			w->p++;
		n = (size_t)(w->p - start);
		if (!n)
			return false;
		/* A word glued to a variable, and an option, name nothing we could look up. */
		if (n > WORD_MAX || *start == '-' || *start == '+' ||
		    (w->p < w->end && (*w->p == '$' || *w->p == '=')))
			continue;
		memcpy(w->word, start, n);
		w->word[n] = '\0';
		return true;
	}
}
