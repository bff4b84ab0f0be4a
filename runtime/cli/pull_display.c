/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/pull_display.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "runtime/base/str.h"

#define BAR_WIDTH 30
#define BAR_SHORT 10
#define CUT "..."
#define LINE_SECONDS 10
#define MB 1000000

struct pull_display pull_display_of(const char *what, bool quiet)
{
	return (struct pull_display){
		.what = what,
		.quiet = quiet,
		.bar = isatty(STDOUT_FILENO),
		.last_line = time(NULL),
	};
}

void pull_display_size(const struct progress *p, char *text, size_t size)
{
	long long have = (p->have + MB - 1) / MB, total = (p->total + MB - 1) / MB;

	if (p->have < p->total)
		(void)str_fmt(text, size, "%lld of %lld MB", (long long)p->have / MB, total);
	else
		(void)str_fmt(text, size, "%lld MB", have);
}

void pull_display_bar(const struct progress *p, size_t width, char *text, size_t size)
{
	size_t filled = 0;

	if (p->total > 0 && p->have >= p->total)
		filled = width;
	else if (p->total > 0 && p->have > 0)
		filled = (size_t)((double)p->have * (double)width / (double)p->total);
	if (width + 3 > size)
		return;
	text[0] = '[';
	memset(text + 1, '#', filled);
	memset(text + 1 + filled, ' ', width - filled);
	text[width + 1] = ']';
	text[width + 2] = '\0';
}

static void size_and_step(const struct progress *p, char *text, size_t size)
{
	char arrived[64];

	pull_display_size(p, arrived, sizeof(arrived));
	(void)str_fmt(text, size, "%s%s", arrived,
		      p->total && p->have >= p->total ? ", unpacking" : "");
}

void pull_display_text(const char *what, const struct progress *p, size_t columns, char *text,
		       size_t size)
{
	char bar[BAR_WIDTH + 3], arrived[80];
	size_t n = strlen(what), rest, width = BAR_WIDTH;

	size_and_step(p, arrived, sizeof(arrived));
	/* Brackets, two blanks, and the last column, at which some terminals wrap already. */
	rest = strlen(arrived) + 5;
	if (n + width + rest > columns)
		width = BAR_SHORT;
	rest += width;
	pull_display_bar(p, width, bar, sizeof(bar));
	if (n + rest <= columns)
		(void)str_fmt(text, size, "%s %s %s", what, bar, arrived);
	else if (rest + strlen(CUT) < columns)
		(void)str_fmt(text, size, CUT "%s %s %s", what + n - (columns - rest - strlen(CUT)),
			      bar, arrived);
	else
		(void)str_fmt(text, size, "%.*s", (int)columns - 1, arrived);
}

static size_t terminal_columns(void)
{
	struct winsize w;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : 80;
}

static void show_bar(struct pull_display *d, const struct progress *p)
{
	char text[1024];

	pull_display_text(d->what, p, terminal_columns(), text, sizeof(text));
	/* To the begin of the line, and what is left of a longer one is wiped out. */
	printf("\r%s\033[K", text);
	fflush(stdout);
	d->shown = true;
}

static void show_line(struct pull_display *d, bool known, const struct progress *p)
{
	char text[80] = "nothing yet";
	time_t now = time(NULL);

	if (now - d->last_line < LINE_SECONDS)
		return;
	d->last_line = now;
	if (known)
		size_and_step(p, text, sizeof(text));
	printf("%s: %s\n", d->what, text);
	fflush(stdout);
}

bool pull_display_progress(void *ctx, bool known, const struct progress *progress)
{
	struct pull_display *d = ctx;

	if (d->quiet)
		return true;
	if (d->bar)
		show_bar(d, progress);
	else
		show_line(d, known, progress);
	return true;
}

void pull_display_end(struct pull_display *d)
{
	if (!d->shown)
		return;
	printf("\r\033[K");
	fflush(stdout); /* what follows may be an error, on another stream */
	d->shown = false;
}
