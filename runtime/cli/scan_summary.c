/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/scan_summary.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/str.h"

static struct scan_count *row_of(struct scan_summary *s, const char *platform)
{
	const char *name = *platform ? platform : "unknown";
	struct scan_count *row;

	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->platforms[i].platform, name))
			return &s->platforms[i];
	if (s->n == SCAN_PLATFORMS_MAX)
		return &s->platforms[SCAN_PLATFORMS_MAX - 1];
	row = &s->platforms[s->n++];
	(void)str_copy(row->platform, sizeof(row->platform),
		       s->n == SCAN_PLATFORMS_MAX ? "others" : name);
	return row;
}

static void count(struct scan_summary *s, struct scan_count *row, const struct report *r, bool lies)
{
	switch (r ? (enum verdict)r->verdict : VERDICT_NONE) {
	case VERDICT_NATIVE:
		row->native++;
		break;
	case VERDICT_EMULATE:
		row->emulated++;
		break;
	case VERDICT_REFUSE:
		row->refused++;
		s->refused++;
		break;
	case VERDICT_NONE:
	case VERDICT_N:
		row->not_judged++;
		break;
	}
	row->mislabelled += lies;
	s->mislabelled += lies;
}

static void count_image(struct scan_summary *s, const struct scan_image *image)
{
	s->unread += scan_image_is_unreadable(image);
	for (size_t i = 0; i < image->members.n; i++) {
		const struct scan_variant *v = &image->variants[i];
		const struct image_member *m = v->verdict.member;
		struct scan_count *row;

		if (!m->here)
			continue;
		row = row_of(s, *m->declared ? m->declared : m->platform);
		row->images++;
		count(s, row, v->verdict.report, scan_variant_lies(v));
	}
}

static int most_first(const void *a, const void *b)
{
	const struct scan_count *x = a, *y = b;
	size_t n = x->images + x->containers, m = y->images + y->containers;

	return n != m ? (n < m) - (n > m) : strcmp(x->platform, y->platform);
}

void scan_summary_make(const struct scan *s, struct scan_summary *ret)
{
	*ret = (struct scan_summary){ .n = 0 };
	for (size_t i = 0; i < s->n_images; i++)
		count_image(ret, &s->images[i]);
	for (size_t i = 0; i < s->n_containers; i++) {
		const struct scan_container *c = &s->containers[i];
		struct scan_count *row = row_of(ret, c->verdict.platform);

		row->containers++;
		count(ret, row, c->verdict.report, scan_container_lies(c));
	}
	if (ret->n)
		qsort(ret->platforms, ret->n, sizeof(*ret->platforms), most_first);
}
