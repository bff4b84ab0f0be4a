/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/html_writer.h"

/*
 * A chart of horizontal bars, as wide as there is room: lengths are percentages, so that the text
 * in it has the size of that around it. Each bar is of one or several parts, one after the other,
 * and the longest takes the whole width. What is drawn is said in words as well, for whoever hears
 * the page.
 */
#define BAR_PARTS 4

struct bar {
	char label[40];
	uint64_t part[BAR_PARTS];
};

struct bar_part {
	const char *name;  /* "native"; "" where there is only one part */
	const char *class; /* its colour, in the page's style */
};

struct bar_chart {
	const char *id, *title; /* of ours; @id is one of the page's */
	const char *unit;	/* of the numbers, "containers" */
	struct bar_part parts[BAR_PARTS];
	size_t n_parts;
	const struct bar *bars;
	size_t n;
};

void svg_bars(struct html *h, const struct bar_chart *c);
