/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/image_choice.h"

#include <string.h>

#include "runtime/arch/platform_rank.h"
#include "runtime/base/str.h"

static int rank_of(const struct image_member *m, const struct platform *wanted)
{
	struct platform have;
	struct err ignored;

	if (platform_parse(m->platform, &have, &ignored) < 0)
		return -1;
	return platform_rank(wanted, &have);
}

const struct image_member *image_choice(const struct image_members *m,
					const struct platform *wanted)
{
	const struct image_member *best = NULL;
	int best_rank = -1;

	for (size_t i = 0; i < m->n; i++) {
		int rank = rank_of(&m->list[i], wanted);

		if (rank < 0 || (best && rank >= best_rank))
			continue;
		best = &m->list[i];
		best_rank = rank;
	}
	return best;
}

void image_choice_text(const struct image_members *m, char *text, size_t size)
{
	size_t at = 0;

	(void)str_copy(text, size, m->n ? "" : "none");
	for (size_t i = 0; i < m->n; i++) {
		const char *between = !i ? "" : i + 1 < m->n ? ", " : " and ";
		const char *name = *m->list[i].platform ? m->list[i].platform : "unnamed";

		if (!str_fmt(text + at, size - at, "%s%s", between, name))
			return;
		at += strlen(text + at);
	}
}
