/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/outcome_tally.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

static struct bar *bar_of(struct tally *t, const char *label)
{
	struct bar *b;

	for (size_t i = 0; i < t->n; i++)
		if (str_eq(t->bars[i].label, label))
			return &t->bars[i];
	if (t->n == ARRAY_SIZE(t->bars))
		return &t->bars[t->n - 1];
	b = &t->bars[t->n++];
	*b = (struct bar){ .part = { 0 } };
	(void)str_copy(b->label, sizeof(b->label), label);
	return b;
}

void tally_add(struct tally *t, const char *label, unsigned int part, uint64_t count)
{
	ASSERT(part < BAR_PARTS);
	bar_of(t, *label ? label : "not known")->part[part] += count;
}

static uint64_t total(const struct bar *b)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < BAR_PARTS; i++)
		sum += b->part[i];
	return sum;
}

static int longest_first(const void *a, const void *b)
{
	const struct bar *x = a, *y = b;
	uint64_t one = total(x), other = total(y);

	return one == other ? strcmp(x->label, y->label) : (one < other) - (one > other);
}

void tally_sort(struct tally *t, size_t max)
{
	ASSERT(max);
	qsort(t->bars, t->n, sizeof(t->bars[0]), longest_first);
	if (t->n <= max)
		return;
	for (size_t i = max; i < t->n; i++)
		for (size_t k = 0; k < BAR_PARTS; k++)
			t->bars[max - 1].part[k] += t->bars[i].part[k];
	(void)str_copy(t->bars[max - 1].label, sizeof(t->bars[0].label), "others");
	t->n = max;
}
