/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/cri_choice.h"

#include "runtime/arch/platform.h"
#include "runtime/base/str.h"

/* What a node takes, best first; containerd's platforms.DefaultSpec() and its vector. */
struct taken {
	const char *host;
	const char *platforms; /* separated by spaces, in containerd's normal form */
};

static const struct taken table[] = {
	{ "amd64", "linux/amd64 linux/386" },
	{ "arm64", "linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5" },
	{ "arm", "linux/arm/v7 linux/arm/v6 linux/arm/v5" },
};

/* The place of @platform in the list, 0 the best; -1 when it is not there. */
static int rank_in(const char *list, const char *platform)
{
	int rank = 0;

	while (*list) {
		const char *rest = str_after(list, platform);

		if (rest && (*rest == ' ' || !*rest))
			return rank;
		list += strcspn(list, " ");
		list += *list == ' ';
		rank++;
	}
	return -1;
}

static int rank_of(const char *host, const char *text)
{
	char normal[PLATFORM_TEXT], own[PLATFORM_TEXT];
	struct platform p;
	struct err ignored;

	if (platform_parse(text, &p, &ignored) < 0)
		return -1;
	platform_format(&p, normal);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (str_eq(table[i].host, host))
			return rank_in(table[i].platforms, normal);
	(void)str_fmt(own, sizeof(own), "linux/%s", host);
	return str_eq(own, normal) ? 0 : -1;
}

int cri_choice(const struct image_members *m, const struct arch *host)
{
	int best = -1, best_rank = -1;

	if (!m->index)
		return m->n ? 0 : -1;
	for (size_t i = 0; i < m->n; i++) {
		int rank = rank_of(host->name, m->list[i].platform);

		if (rank >= 0 && (best < 0 || rank < best_rank)) {
			best = (int)i;
			best_rank = rank;
		}
	}
	return best;
}
