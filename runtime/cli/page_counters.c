/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/page_counters.h"

#include <stdlib.h>

#include "runtime/base/str.h"
#include "runtime/cli/outcome_tally.h"

#define BARS_MAX 24

/* --- one chart each ------------------------------------------------------------------------- */

/* Which parts of a bar a verdict belongs to, by its place in the table. */
struct group {
	struct bar_chart chart;
	const char *verdicts[BAR_PARTS];
	bool by_code; /* a bar for each code, else for each platform */
};

static const struct group groups[] = {
	{ .chart = { .id = "containers",
		     .title = "Containers by platform",
		     .unit = "created or refused",
		     .parts = { { "native", "native" },
				{ "emulated", "emulated" },
				{ "refused", "refused" },
				{ "not judged", "unknown" } },
		     .n_parts = 4 },
	  .verdicts = { OUTCOME_NATIVE, OUTCOME_EMULATED, OUTCOME_REFUSED, OUTCOME_UNKNOWN } },
	{ .chart = { .id = "codes",
		     .title = "Refusals by cause",
		     .unit = "containers",
		     .parts = { { "", "refused" } },
		     .n_parts = 1 },
	  .verdicts = { OUTCOME_REFUSED },
	  .by_code = true },
	{ .chart = { .id = "ends",
		     .title = "Explained ends by cause",
		     .unit = "containers that had been started",
		     .parts = { { "", "refused" } },
		     .n_parts = 1 },
	  .verdicts = { OUTCOME_CRASHED },
	  .by_code = true },
	{ .chart = { .id = "pulls",
		     .title = "Pulls by platform",
		     .unit = "of a platform that a pod chose",
		     .parts = { { "done", "native" }, { "failed", "refused" } },
		     .n_parts = 2 },
	  .verdicts = { OUTCOME_PULLED, OUTCOME_NOT_PULLED } },
};

static void add_up(const struct group *g, const struct node_counters *c, struct tally *t)
{
	t->n = 0;
	for (size_t i = 0; i < c->n; i++)
		for (unsigned int k = 0; k < g->chart.n_parts; k++)
			if (str_eq(c->rows[i].verdict, g->verdicts[k]))
				tally_add(t, g->by_code ? c->rows[i].code : c->rows[i].platform, k,
					  c->rows[i].count);
	tally_sort(t, BARS_MAX);
}

static size_t draw(struct html *h, struct bar_chart chart, const struct tally *t)
{
	chart.bars = t->bars;
	chart.n = t->n;
	if (t->n)
		svg_bars(h, &chart);
	return t->n;
}

static size_t draw_rearmed(struct html *h, const struct node_counters *c, struct tally *t)
{
	static const struct bar_chart chart = { .id = "rearmed",
						.title = "Emulators registered again",
						.unit = "times that one was gone",
						.parts = { { "", "unknown" } },
						.n_parts = 1 };

	t->n = 0;
	for (size_t i = 0; i < c->n_rearmed; i++)
		tally_add(t, c->rearmed[i].name, 0, c->rearmed[i].count);
	tally_sort(t, BARS_MAX);
	return draw(h, chart, t);
}

/* --- the section ---------------------------------------------------------------------------- */

static void figure(struct html *h, const char *what, uint64_t n, const char *unit)
{
	html_mark(h, "<li>");
	html_element(h, "small", NULL, what);
	html_mark(h, " <b>");
	html_count(h, n);
	html_text(h, unit);
	html_mark(h, "</b></li>\n");
}

static uint64_t of(const struct node_counters *c, const char *verdict)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->rows[i].verdict, verdict))
			sum += c->rows[i].count;
	return sum;
}

static void figures(struct html *h, const struct node_counters *c)
{
	html_mark(h, "<ul class=\"figures\">\n");
	figure(h, "native", of(c, OUTCOME_NATIVE), "");
	figure(h, "emulated", of(c, OUTCOME_EMULATED), "");
	figure(h, "refused", of(c, OUTCOME_REFUSED), "");
	figure(h, "shims now", c->shims.n, "");
	figure(h, "their private memory", c->shims.private_kb, " KB");
	html_mark(h, "</ul>\n");
}

static void charts(struct html *h, const struct node_counters *c)
{
	CLEANUP_FREE struct tally *t = calloc(1, sizeof(*t));
	size_t drawn = 0;

	if (!t)
		return;
	html_mark(h, "<div class=\"charts\">\n");
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		add_up(&groups[i], c, t);
		drawn += draw(h, groups[i].chart, t);
	}
	drawn += draw_rearmed(h, c, t);
	html_mark(h, "</div>\n");
	if (!drawn)
		html_mark(h, "<p>Nothing was counted yet.</p>\n");
}

void page_counters(struct html *h, const struct node_counters *c)
{
	html_mark(h, "<section aria-labelledby=\"counters\">\n<h2 id=\"counters\">Since the node "
		     "was started</h2>\n");
	if (*c->trouble) {
		html_mark(h, "<p>It cannot be told: ");
		html_text(h, c->trouble);
		html_mark(h, "</p>\n");
	} else {
		figures(h, c);
		charts(h, c);
	}
	html_mark(h, "</section>\n");
}
