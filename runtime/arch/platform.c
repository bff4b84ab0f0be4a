/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/arch/platform.h"

#include <ctype.h>
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

/* One component: letters, digits and the few signs platform names use. */
static bool take_part(const char **at, char *dst, size_t size)
{
	size_t n = 0;
	const char *p = *at;

	for (; *p && *p != '/'; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
			return false;
		if (n + 1 >= size)
			return false;
		dst[n++] = (char)tolower((unsigned char)*p);
	}
	dst[n] = '\0';
	*at = *p ? p + 1 : p;
	return n > 0;
}

/* Variants that mean the same as none, or as another spelling; one row per architecture's rule. */
static const struct {
	const char *arch, *variant, *normal;
} variants[] = {
	{ "amd64", "v1", "" },	 { "arm64", "v8", "" },	 { "arm64", "8", "" },
	{ "arm64", "v8.0", "" }, { "arm64", "9", "v9" }, { "arm64", "v9.0", "v9" },
	{ "arm", "", "v7" },	 { "arm", "7", "v7" },	 { "arm", "6", "v6" },
	{ "arm", "5", "v5" },	 { "arm", "8", "v8" },
};

/* Other spellings of an architecture, with the variant they imply. */
static const struct {
	const char *arch, *normal, *variant;
} spellings[] = {
	{ "x86_64", "amd64", "" },    { "x86-64", "amd64", "" },
	{ "i386", "386", "" },	      { "aarch64", "arm64", "" },
	{ "armhf", "arm", "v7" },     { "armel", "arm", "v6" },
	{ "ppc64el", "ppc64le", "" }, { "mips64el", "mips64le", "" },
	{ "mipsel", "mipsle", "" },   { "loongarch64", "loong64", "" },
};

static void normalise(struct platform *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(spellings); i++) {
		if (!str_eq(p->arch, spellings[i].arch))
			continue;
		(void)str_copy(p->arch, sizeof(p->arch), spellings[i].normal);
		if (!p->variant[0])
			(void)str_copy(p->variant, sizeof(p->variant), spellings[i].variant);
		break;
	}
	for (size_t i = 0; i < ARRAY_SIZE(variants); i++)
		if (str_eq(p->arch, variants[i].arch) && str_eq(p->variant, variants[i].variant)) {
			(void)str_copy(p->variant, sizeof(p->variant), variants[i].normal);
			break;
		}
}

int platform_parse(const char *text, struct platform *ret, struct err *err)
{
	struct platform p = { "linux", "", "" };
	const char *at = text;
	bool good;

	if (strchr(text, '/'))
		good = take_part(&at, p.os, sizeof(p.os)) &&
		       take_part(&at, p.arch, sizeof(p.arch)) &&
		       (!*at || take_part(&at, p.variant, sizeof(p.variant)));
	else
		good = take_part(&at, p.arch, sizeof(p.arch));
	if (!good || *at || (at > text && at[-1] == '/'))
		return err_set(err, ERR_INVALID, "\"%.64s\" is not a platform (os/arch[/variant])",
			       text);
	normalise(&p);
	*ret = p;
	return 0;
}

void platform_format(const struct platform *p, char text[PLATFORM_TEXT])
{
	(void)str_fmt(text, PLATFORM_TEXT, "%s/%s%s%s", p->os, p->arch, p->variant[0] ? "/" : "",
		      p->variant);
}

const struct arch *platform_arch(const struct platform *p)
{
	return str_eq(p->os, "linux") ? arch_by_name(p->arch, strlen(p->arch)) : NULL;
}
