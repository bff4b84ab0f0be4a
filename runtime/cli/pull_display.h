/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <time.h>

#include "runtime/containerd/progress.h"

/* How far a pull is: a bar that moves on a terminal, elsewhere a line every ten seconds. */
struct pull_display {
	const char *what; /* "linux/arm64 of python:3.12" */
	bool bar, quiet;
	bool shown; /* there is a bar to wipe out */
	time_t last_line;
};

/* For stdout. */
struct pull_display pull_display_of(const char *what, bool quiet);

/* As image_on_progress (image_pull.h), and always goes on; @ctx is the display. */
bool pull_display_progress(void *ctx, bool known, const struct progress *progress);

/* Wipes the bar. */
void pull_display_end(struct pull_display *d);

/*
 * "WHAT [####    ] 14 of 62 MB" for a terminal of @columns: a line that is too long would be
 * wrapped, and then each new one stands below the last. The bar is shorter then, and WHAT loses its
 * begin.
 */
void pull_display_text(const char *what, const struct progress *p, size_t columns, char *text,
		       size_t size);

/* "14 of 62 MB", or "14 MB" when @p has no total or is complete. */
void pull_display_size(const struct progress *p, char *text, size_t size);

/* A bar of @width characters in brackets, filled as far as @p is. */
void pull_display_bar(const struct progress *p, size_t width, char *text, size_t size);
