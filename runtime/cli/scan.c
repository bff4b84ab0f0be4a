/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/scan.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/str.h"
#include "runtime/cli/output.h"

static void image_deinit(struct scan_image *image)
{
	for (size_t i = 0; image->variants && i < image->members.n; i++)
		if (!image->variants[i].shared)
			free(image->variants[i].verdict.report);
	free(image->variants);
	image_members_deinit(&image->members);
}

void scan_deinit(struct scan *s)
{
	for (size_t i = 0; i < s->n_images; i++)
		image_deinit(&s->images[i]);
	for (size_t i = 0; i < s->n_containers; i++)
		container_verdict_deinit(&s->containers[i].verdict);
	free(s->images);
	free(s->containers);
	node_containers_deinit(&s->node);
	arena_deinit(&s->arena);
	*s = (struct scan)SCAN_INIT;
}

int scan_image_variants(struct scan_image *image, struct err *err)
{
	image->variants = calloc(image->members.n + 1, sizeof(*image->variants));
	if (!image->variants)
		return err_set(err, ERR_NOMEM, "no memory for %zu platforms", image->members.n);
	for (size_t i = 0; i < image->members.n; i++) {
		image->variants[i].verdict.member = &image->members.list[i];
		image->variants[i].verdict.chosen = (int)i == image->choice;
	}
	return 0;
}

void scan_variant_unjudged(struct scan_variant *v, bool unreadable, const char *why)
{
	(void)shown(v->verdict.why, sizeof(v->verdict.why), why);
	v->unreadable = unreadable;
}

bool scan_image_is_unreadable(const struct scan_image *image)
{
	for (size_t i = 0; image->variants && i < image->members.n; i++)
		if (image->variants[i].unreadable)
			return true;
	return *image->error;
}

const char *scan_image_name(const struct scan_image *image)
{
	for (const char **name = image->names; *name; name++)
		if (!str_after(*name, "sha256:") && !strchr(*name, '@'))
			return *name;
	for (const char **name = image->names; *name; name++)
		if (!str_after(*name, "sha256:"))
			return *name;
	return *image->names ? *image->names : image->digest;
}

/* --- labels ---------------------------------------------------------------------------------- */

static const struct arch *arch_of(const char *platform)
{
	struct platform p;
	struct err ignored;

	return *platform && platform_parse(platform, &p, &ignored) == 0 ? platform_arch(&p) : NULL;
}

static bool differ(const char *a, const char *b)
{
	const struct arch *x = arch_of(a), *y = arch_of(b);

	return x && y && !str_eq(x->name, y->name);
}

bool scan_variant_lies(const struct scan_variant *v)
{
	const struct image_member *m = v->verdict.member;
	const struct report *r = v->verdict.report;

	return differ(m->platform, m->declared) ||
	       (r && (differ(m->declared, r->guest) || differ(m->platform, r->guest)));
}

bool scan_container_lies(const struct scan_container *c)
{
	return c->verdict.report && differ(c->verdict.platform, c->verdict.report->guest);
}

/* --- what is wrong --------------------------------------------------------------------------- */

static bool is_refused(const struct report *r)
{
	return r && r->verdict == VERDICT_REFUSE;
}

bool scan_image_is_bad(const struct scan_image *image)
{
	for (size_t i = 0; i < image->members.n; i++)
		if (is_refused(image->variants[i].verdict.report) ||
		    scan_variant_lies(&image->variants[i]))
			return true;
	return scan_image_is_unreadable(image);
}

bool scan_container_is_bad(const struct scan_container *c)
{
	return is_refused(c->verdict.report) || scan_container_lies(c);
}
