/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "runtime/base/outcomes.h"
#include "runtime/cli/svg_bars.h"

/* The counters of outcomes, added up for charts. All-zero is empty. */
struct tally {
	struct bar bars[OUTCOMES_MAX + 1];
	size_t n;
};

/* Adds @count to the part @part (below BAR_PARTS) of the bar @label; "" counts as "not known". */
void tally_add(struct tally *t, const char *label, unsigned int part, uint64_t count);

/* The longest first, and beyond @max bars all the rest in the last one, as "others". */
void tally_sort(struct tally *t, size_t max);
