/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "tests/bench/bench.h"

/* One line of samples as a measurement printed it. */
struct series {
	char figure[32], containerd[48], engine[16], name[16];
	struct samples samples;
};

/* How the two numbers of a row come from series. */
enum kind {
	MEDIAN,	     /* of the samples of both shims */
	LESS_ENGINE, /* that, minus the median of the engine alone */
	FLAT_TIME,   /* last quarter's median by the first quarter's */
	FLAT_USE,    /* what the last quarter added, by what the second one did */
};

struct figure {
	const char *key; /* of the series */
	const char *label, *unit;
	enum kind kind;
	bool more_is_better;
	bool plotted;
	/* Goals; 0 is none. A ratio is ours by the stock shim's. */
	double limit;		       /* ours, at most */
	double ratio_runc, ratio_crun; /* at most; at least where more is better */
};

enum outcome { REPORTED, MET, MISSED };

struct row {
	const struct figure *figure;
	const char *containerd, *engine; /* owned by a series */
	size_t n;
	double stock, stock_p99, ours, ours_p99, ratio; /* 0: there is none */
	char goal[48];
	enum outcome outcome;
};

void report_table(const struct row *rows, size_t n, FILE *out);
int report_json(const struct row *rows, size_t n, const char *path);

/* plot.c: bars of the ratios as SVG. False when @path cannot be written. */
bool plot(const struct row *rows, size_t n, const char *path);
