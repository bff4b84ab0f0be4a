/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/arch/platform_rank.h"

#include <ctype.h>
#include <stdlib.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

/* Variants of the form "v8.2"; the numbers of one digit each. */
struct version {
	int major, minor;
};

static bool parse_version(const char *variant, struct version *ret)
{
	if (variant[0] != 'v' || !isdigit((unsigned char)variant[1]))
		return false;
	*ret = (struct version){ variant[1] - '0', 0 };
	if (!variant[2])
		return true;
	if (variant[2] != '.' || !isdigit((unsigned char)variant[3]) || variant[4])
		return false;
	ret->minor = variant[3] - '0';
	return true;
}

/* What no variant stands for in the normal form (platform.c). */
static const struct {
	const char *arch, *variant;
} unnamed[] = {
	{ "amd64", "v1" },
	{ "arm64", "v8" },
};

static bool version_of(const struct platform *p, struct version *ret)
{
	const char *variant = p->variant;

	for (size_t i = 0; !*variant && i < ARRAY_SIZE(unnamed); i++)
		if (str_eq(p->arch, unnamed[i].arch))
			variant = unnamed[i].variant;
	return parse_version(variant, ret);
}

/* v9.0 branched off from v8.5, so each v9.x has what v8.(x+5) has, of which v8.9 is the last. */
static int rank_arm64(const struct version *wanted, const struct version *have)
{
	int highest = wanted->minor + 5 < 9 ? wanted->minor + 5 : 9;

	if (wanted->major == have->major)
		return wanted->minor >= have->minor ? wanted->minor - have->minor : -1;
	if (wanted->major != 9 || have->major != 8 || have->minor > highest)
		return -1;
	return wanted->minor + 1 + highest - have->minor;
}

int platform_rank(const struct platform *wanted, const struct platform *have)
{
	struct version w, h;

	if (!str_eq(wanted->os, have->os) || !str_eq(wanted->arch, have->arch))
		return -1;
	if (str_eq(wanted->variant, have->variant))
		return 0;
	if (!version_of(wanted, &w) || !version_of(have, &h))
		return -1;
	if (str_eq(wanted->arch, "arm64"))
		return rank_arm64(&w, &h);
	return !w.minor && !h.minor && w.major >= h.major ? w.major - h.major : -1;
}
