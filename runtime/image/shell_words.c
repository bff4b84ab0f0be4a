/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/image/shell_words.h"

#include <string.h>

static bool in_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("._/+-", c));
}

void shell_words_init(struct shell_words *w, const char *text, size_t n)
{
	w->p = text;
	w->end = text + n;
	w->word[0] = '\0';
	w->command = w->sticky = w->user = false;
	w->expected = true;
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

/* Between two words: whether a command ends there, and whether the next one is a value. */
static const char *skip_noise(struct shell_words *w, bool *ret_value)
{
	const char *p = w->p, *end = w->end;
	char before = ' ';

	*ret_value = false;
	while (p < end && !in_word(*p)) {
		if (*p == '$') {
			p = skip_variable(p, end);
			w->expected = w->sticky;
			w->user = false;
			continue;
		}
		if (*p == '#' && (before == ' ' || before == '\t' || before == '\n')) {
			p = skip_comment(p, end);
			continue;
		}
		if (strchr("\n;&|(){}`!", *p)) {
			w->expected = true;
			w->sticky = w->user = false;
		}
		*ret_value = *p == '=';
		before = *p++;
	}
	return p;
}

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

/* Notes where @w->word stands, and what that means for the next one. */
static void place(struct shell_words *w, bool value)
{
	static const char *const before[] = { "exec", "then",	 "do",	   "else",
					      "elif", "if",	 "while",  "until",
					      "time", "command", "eval",   "nohup",
					      "env",  "builtin", "setsid", NULL };
	static const char *const starters[] = { "tini",	   "dumb-init",	   "catatonit", "gosu",
						"su-exec", "s6-setuidgid", "chpst",	"setpriv",
						"timeout", "nice",	   "sudo",	"runuser",
						"xargs",   "chroot",	   NULL };
	static const char *const changers[] = { "gosu", "su-exec", "s6-setuidgid", NULL };
	const char *slash = strrchr(w->word, '/'), *base = slash ? slash + 1 : w->word;
	bool user = w->user && !value;

	w->command = w->expected && !value && !user;
	if (value)
		return;
	w->user = w->command && is_one_of(base, changers);
	w->sticky = w->sticky || (w->command && is_one_of(base, starters));
	w->expected = w->sticky || (w->command && is_one_of(w->word, before));
}

bool shell_words_next(struct shell_words *w)
{
	for (;;) {
		bool value;
		const char *start = w->p = skip_noise(w, &value);
		size_t n;

		while (w->p < w->end && in_word(*w->p))
			w->p++;
		n = (size_t)(w->p - start);
		if (!n)
			return false;
		/* A word glued to a variable, and an option, name nothing we could look up. */
		if (*start == '-' || *start == '+' || (w->p < w->end && *w->p == '='))
			continue;
		if (n > WORD_MAX || (w->p < w->end && *w->p == '$')) {
			w->expected = w->sticky;
			continue;
		}
		memcpy(w->word, start, n);
		w->word[n] = '\0';
		place(w, value);
		return true;
	}
}
