/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/svg_bars.h"

/* In CSS pixels, of which there are as many in a phone's line as on paper. */
#define LABEL_HEIGHT 19
#define BAR_HEIGHT 8
#define WORDS_HEIGHT 18
#define GAP 11

/* What is there at all can be seen. */
#define PART_LEAST 0.7

static uint64_t total(const struct bar *b, size_t n_parts)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n_parts; i++)
		sum += b->part[i];
	return sum;
}

static uint64_t longest(const struct bar_chart *c)
{
	uint64_t most = 0;

	for (size_t i = 0; i < c->n; i++) {
		uint64_t sum = total(&c->bars[i], c->n_parts);

		most = sum > most ? sum : most;
	}
	return most;
}

/* So many are said in one line, which a phone has room for. */
#define PARTS_IN_LINE 2

static size_t parts_there(const struct bar_chart *c, const struct bar *b)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_parts; i++)
		n += b->part[i] != 0;
	return n;
}

/* "9,868 native, 44 refused": the parts there are, from the one number @first on, at most @max. */
static void parts_in_words(struct html *h, const struct bar_chart *c, const struct bar *b,
			   size_t first, size_t max)
{
	size_t there = 0;

	for (size_t i = 0; i < c->n_parts; i++) {
		if (!b->part[i] || there++ < first || there > first + max)
			continue;
		html_mark(h, there > first + 1 ? ", " : "");
		html_count(h, b->part[i]);
		if (*c->parts[i].name)
			html_textf(h, " %s", c->parts[i].name);
	}
}

static void describe(struct html *h, const struct bar_chart *c)
{
	html_markf(h, "<title>%s</title><desc id=\"%s-words\">", c->title, c->id);
	for (size_t i = 0; i < c->n; i++) {
		html_text(h, c->bars[i].label);
		html_mark(h, ": ");
		parts_in_words(h, c, &c->bars[i], 0, BAR_PARTS);
		html_mark(h, i + 1 < c->n ? "; " : "");
	}
	html_markf(h, " (%s)</desc>\n", c->unit);
}

/* The widths of the parts, in percent; together at most 100. */
static void widths(const struct bar *b, size_t n_parts, uint64_t most, double ret[BAR_PARTS])
{
	double sum = 0;

	for (size_t i = 0; i < n_parts; i++) {
		ret[i] = 100.0 * (double)b->part[i] / (double)most;
		if (b->part[i] && ret[i] < PART_LEAST)
			ret[i] = PART_LEAST;
		sum += ret[i];
	}
	for (size_t i = 0; i < n_parts && sum > 100; i++)
		ret[i] *= 100 / sum;
}

/* The bar at the height @y. */
static void draw(struct html *h, const struct bar_chart *c, const struct bar *b, uint64_t most,
		 unsigned int y)
{
	double width[BAR_PARTS], x = 0;

	html_markf(h,
		   "<rect class=\"track\" x=\"0\" y=\"%u\" width=\"100%%\" height=\"%d\" "
		   "rx=\"2\"/>",
		   y, BAR_HEIGHT);
	widths(b, c->n_parts, most, width);
	for (size_t i = 0; i < c->n_parts; i++) {
		if (!b->part[i])
			continue;
		html_markf(
			h,
			"<rect class=\"%s\" x=\"%.2f%%\" y=\"%u\" width=\"%.2f%%\" height=\"%d\" "
			"rx=\"2\"/>",
			c->parts[i].class, x, y, width[i], BAR_HEIGHT);
		x += width[i];
	}
}

static size_t lines_of(const struct bar_chart *c, const struct bar *b)
{
	return c->n_parts > 1 ? (parts_there(c, b) + PARTS_IN_LINE - 1) / PARTS_IN_LINE : 0;
}

static unsigned int height_of(const struct bar_chart *c, const struct bar *b)
{
	return LABEL_HEIGHT + BAR_HEIGHT + GAP + WORDS_HEIGHT * (unsigned int)lines_of(c, b);
}

static unsigned int height_of_all(const struct bar_chart *c)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < c->n; i++)
		sum += height_of(c, &c->bars[i]);
	return sum;
}

static void row(struct html *h, const struct bar_chart *c, const struct bar *b, uint64_t most,
		unsigned int y)
{
	html_markf(h, "<text class=\"label\" x=\"0\" y=\"%u\">", y + LABEL_HEIGHT - 7);
	html_text(h, b->label);
	html_markf(h, "</text><text class=\"value\" x=\"100%%\" y=\"%u\">", y + LABEL_HEIGHT - 7);
	html_count(h, total(b, c->n_parts));
	html_mark(h, "</text>");
	y += LABEL_HEIGHT;
	draw(h, c, b, most, y);
	y += BAR_HEIGHT - 4;
	for (size_t line = 0; line < lines_of(c, b); line++) {
		y += WORDS_HEIGHT;
		html_markf(h, "<text class=\"words\" x=\"0\" y=\"%u\">", y);
		parts_in_words(h, c, b, line * PARTS_IN_LINE, PARTS_IN_LINE);
		html_mark(h, "</text>");
	}
	html_mark(h, "\n");
}

static void legend(struct html *h, const struct bar_chart *c)
{
	html_mark(h, "<ul class=\"legend\">");
	for (size_t i = 0; i < c->n_parts; i++)
		html_markf(h,
			   "<li><svg width=\"10\" height=\"10\" aria-hidden=\"true\"><rect "
			   "class=\"%s\" width=\"10\" height=\"10\" rx=\"2\"/></svg> %s</li>",
			   c->parts[i].class, c->parts[i].name);
	html_mark(h, "</ul>\n");
}

void svg_bars(struct html *h, const struct bar_chart *c)
{
	uint64_t most = longest(c);
	unsigned int y = 0;

	html_markf(h, "<figure>\n<figcaption>%s <span>%s</span></figcaption>\n", c->title, c->unit);
	if (c->n_parts > 1)
		legend(h, c);
	html_markf(h,
		   "<svg class=\"bars\" role=\"img\" width=\"100%%\" height=\"%u\" "
		   "aria-describedby=\"%s-words\">\n",
		   height_of_all(c), c->id);
	describe(h, c);
	for (size_t i = 0; i < c->n && most; i++) {
		row(h, c, &c->bars[i], most, y);
		y += height_of(c, &c->bars[i]);
	}
	html_mark(h, "</svg>\n</figure>\n");
}
