/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/html_writer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "runtime/plan/line_text.h"

#define FORMATTED_MAX 4096

static void add(struct html *h, const char *bytes, size_t n)
{
	if (!h->failed && buf_add(h->out, bytes, n, h->err) < 0)
		h->failed = true;
}

void html_mark(struct html *h, const char *markup)
{
	add(h, markup, strlen(markup));
}

void html_markf(struct html *h, const char *fmt, ...)
{
	char place[FORMATTED_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(place, sizeof(place), fmt, ap);
	va_end(ap);
	html_mark(h, place);
}

/* What stands for a character that would be read as markup; NULL for any other. */
static const char *escape_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	case '\n':
	case '\t':
		return " ";
	default:
		return NULL;
	}
}

void html_text(struct html *h, const char *text)
{
	while (*text) {
		const char *escape = escape_of(*text);
		size_t n = escape ? 1 : text_character(text);

		if (escape)
			html_mark(h, escape);
		else if (n)
			add(h, text, n);
		else
			html_mark(h, "?");
		text += n ? n : 1;
	}
}

void html_textf(struct html *h, const char *fmt, ...)
{
	char place[FORMATTED_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(place, sizeof(place), fmt, ap);
	va_end(ap);
	html_text(h, place);
}

void html_element(struct html *h, const char *tag, const char *class, const char *text)
{
	html_markf(h, class ? "<%s class=\"%s\">" : "<%s>", tag, class);
	html_text(h, text);
	html_markf(h, "</%s>", tag);
}

void html_count(struct html *h, uint64_t n)
{
	if (n >= 1000) {
		html_count(h, n / 1000);
		html_markf(h, ",%03u", (unsigned int)(n % 1000));
	} else {
		html_markf(h, "%u", (unsigned int)n);
	}
}

void html_time(struct html *h, int64_t seconds)
{
	time_t t = (time_t)seconds;
	char machine[40], person[40];
	struct tm tm;

	if (!gmtime_r(&t, &tm))
		return;
	(void)strftime(machine, sizeof(machine), "%Y-%m-%dT%H:%M:%SZ", &tm);
	(void)strftime(person, sizeof(person), "%-d %B %Y, %H:%M UTC", &tm);
	html_markf(h, "<time datetime=\"%s\">%s</time>", machine, person);
}
