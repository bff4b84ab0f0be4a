/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/str.h"
#include "tests/bench/report.h"

/*
 * One group per figure and engine, one bar per containerd: ours as a part of the stock shim's, so
 * that shorter is better. A rate is turned round for that.
 */
#define LABEL_WIDTH 330
#define BAR_WIDTH 480 /* of the stock shim's value */
#define BAR_HEIGHT 9
#define GROUP_GAP 12
#define TOP 64
#define WIDTH (LABEL_WIDTH + BAR_WIDTH * 5 / 4 + 20)

static const char *const colours[] = { "#1f77b4", "#5fa2d0", "#a3c9e4", "#d0e3f1" };

static bool same_group(const struct row *a, const struct row *b)
{
	return a->figure == b->figure && str_eq(a->engine, b->engine);
}

/* The containerds in order of appearance; a bar's colour is its place. */
struct legend {
	const char *name[ARRAY_SIZE(colours)];
	size_t n;
};

static size_t place_of(struct legend *l, const char *name)
{
	size_t i = 0;

	while (i < l->n && !str_eq(l->name[i], name))
		i++;
	if (i == l->n && l->n < ARRAY_SIZE(colours))
		l->name[l->n++] = name;
	return i < ARRAY_SIZE(colours) ? i : ARRAY_SIZE(colours) - 1;
}

static bool is_plotted(const struct row *r)
{
	return r->figure->plotted && r->ratio > 0;
}

static void text(FILE *out, double x, double y, const char *anchor, const char *label)
{
	fprintf(out, "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor,
		label);
}

static void bar(FILE *out, const struct row *r, double y, const char *colour)
{
	double part = r->figure->more_is_better ? 1 / r->ratio : r->ratio;
	char label[16];

	fprintf(out, "<rect x=\"%d\" y=\"%.0f\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n",
		LABEL_WIDTH, y, (part < 1.2 ? part : 1.2) * BAR_WIDTH, BAR_HEIGHT, colour);
	str_fmt(label, sizeof(label), "%.3f", part);
	text(out, LABEL_WIDTH + (part < 1.2 ? part : 1.2) * BAR_WIDTH + 4, y + BAR_HEIGHT, "start",
	     label);
}

static void group_label(FILE *out, const struct row *r, double y)
{
	char label[128];

	str_fmt(label, sizeof(label), "%s%s%s%s", r->figure->label,
		r->figure->more_is_better ? ": time for one" : "", *r->engine ? ", " : "",
		r->engine);
	text(out, LABEL_WIDTH - 8, y + BAR_HEIGHT, "end", label);
}

/* All bars from @top on; returns where they end. */
static double bars(FILE *out, const struct row *rows, size_t n, struct legend *legend, double top)
{
	const struct row *before = NULL;
	double y = top;

	for (size_t i = 0; i < n; i++) {
		if (!is_plotted(&rows[i]))
			continue;
		if (!before || !same_group(before, &rows[i])) {
			y += before ? GROUP_GAP : 0;
			group_label(out, &rows[i], y);
		}
		bar(out, &rows[i], y, colours[place_of(legend, rows[i].containerd)]);
		y += BAR_HEIGHT + 2;
		before = &rows[i];
	}
	return y;
}

static double height(const struct row *rows, size_t n)
{
	const struct row *before = NULL;
	double y = TOP;

	for (size_t i = 0; i < n; i++) {
		if (!is_plotted(&rows[i]))
			continue;
		y += BAR_HEIGHT + 2 + (before && !same_group(before, &rows[i]) ? GROUP_GAP : 0);
		before = &rows[i];
	}
	return y + 16;
}

static void draw_legend(FILE *out, const struct legend *l)
{
	for (size_t i = 0; i < l->n; i++) {
		double x = LABEL_WIDTH + 160 * (double)i;
		char label[80];

		fprintf(out, "<rect x=\"%.0f\" y=\"38\" width=\"10\" height=\"10\" fill=\"%s\"/>\n",
			x, colours[i]);
		str_fmt(label, sizeof(label), "containerd %.16s", l->name[i]);
		text(out, x + 14, 47, "start", label);
	}
}

bool plot(const struct row *rows, size_t n, const char *path)
{
	CLEANUP_FILE FILE *out = fopen(path, "w");
	double full = height(rows, n), stock = LABEL_WIDTH + BAR_WIDTH;
	struct legend legend = { .n = 0 };

	if (!out)
		return false;
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" "
		"font-family=\"sans-serif\" font-size=\"11\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
		WIDTH, full);
	fputs("<g font-size=\"14\" font-weight=\"bold\">", out);
	text(out, 12, 22, "start", "crossarch as a part of containerd-shim-runc-v2 (1 = the same)");
	fputs("</g>\n", out);
	fprintf(out, "<path d=\"M%.0f %d V%.0f\" stroke=\"#c44\" stroke-dasharray=\"4 3\"/>\n",
		stock, TOP - 6, full - 10);
	bars(out, rows, n, &legend, TOP);
	draw_legend(out, &legend);
	fputs("</svg>\n", out);
	return true;
}
