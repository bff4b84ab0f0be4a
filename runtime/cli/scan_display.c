/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/scan_display.h"

#include <stdio.h>
#include <string.h>

#include "runtime/base/str.h"
#include "runtime/cli/output.h"
#include "runtime/cli/scan_summary.h"
#include "runtime/cli/verdict.h"

#define NAME_SHOWN 72
#define SHORT_ID 13

/* Names come from image authors and whoever imported an archive. */
static const char *safe(const char *name, char place[static NAME_SHOWN + 1])
{
	return shown(place, NAME_SHOWN + 1, name);
}

/* --- the summary ----------------------------------------------------------------------------- */

static void add_count(struct table *t, const struct scan_count *c)
{
	const size_t numbers[] = { c->images,  c->containers, c->native,     c->emulated,
				   c->refused, c->not_judged, c->mislabelled };
	char texts[ARRAY_SIZE(numbers)][24];

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		(void)str_fmt(texts[i], sizeof(texts[0]), "%zu", numbers[i]);
	table_row(t, c->refused || c->mislabelled ? TONE_BAD : TONE_PLAIN, 0, c->platform, texts[0],
		  texts[1], texts[2], texts[3], texts[4], texts[5], texts[6]);
}

static void print_summary(const struct scan_summary *sum)
{
	CLEANUP_TABLE struct table t = { NULL, 0, 0 };

	table_row(&t, TONE_PLAIN, 0, "PLATFORM", "IMAGES", "CONTAINERS", "NATIVE", "EMULATED",
		  "REFUSED", "NOT JUDGED", "MISLABELLED");
	for (size_t i = 0; i < sum->n; i++)
		add_count(&t, &sum->platforms[i]);
	table_print(&t, 0);
}

/* --- what there is --------------------------------------------------------------------------- */

/* Appends ", " between items; what does not fit is told by "...". */
static void add_item(char *list, size_t size, const char *item)
{
	size_t n = strlen(list);

	if (n && str_ends(list, "..."))
		return;
	if (n + strlen(item) + 8 < size)
		(void)str_fmt(list + n, size - n, "%s%s", n ? ", " : "", item);
	else
		(void)str_fmt(list + n, size - n, "%s...", n ? ", " : "");
}

static const char *platform_of(const struct image_member *m)
{
	return *m->platform ? m->platform : *m->declared ? m->declared : "unknown";
}

static void add_image(struct table *t, const struct scan_image *image)
{
	char platforms[100] = "", unpacked[60] = "", verdicts[60] = "", name[NAME_SHOWN + 1];

	if (scan_image_is_unreadable(image))
		add_item(verdicts, sizeof(verdicts), "unreadable");
	for (size_t i = 0; i < image->members.n; i++) {
		const struct scan_variant *v = &image->variants[i];

		add_item(platforms, sizeof(platforms), platform_of(v->verdict.member));
		if (v->unpacked)
			add_item(unpacked, sizeof(unpacked), platform_of(v->verdict.member));
		if (v->verdict.report)
			add_item(verdicts, sizeof(verdicts), verdict_name(v->verdict.report));
		if (scan_variant_lies(v))
			add_item(verdicts, sizeof(verdicts), "mislabelled");
	}
	table_row(t, scan_image_is_bad(image) ? TONE_BAD : TONE_PLAIN, 4,
		  safe(scan_image_name(image), name), *image->space ? image->space : "-", platforms,
		  *unpacked ? unpacked : "-", verdicts);
}

static void print_images(const struct scan *s)
{
	CLEANUP_TABLE struct table t = { NULL, 0, 0 };

	if (!s->n_images)
		return;
	table_row(&t, TONE_PLAIN, 0, "IMAGE", "NAMESPACE", "PLATFORMS", "UNPACKED", "VERDICT");
	for (size_t i = 0; i < s->n_images; i++)
		add_image(&t, &s->images[i]);
	putchar('\n');
	table_print(&t, 0);
}

/* "namespace/pod container", or the id of one without a pod */
static void name_container(const struct node_container *c, char *ret, size_t size)
{
	char name[240];

	if (*c->pod)
		(void)str_fmt(name, sizeof(name), "%.80s/%.80s %.60s", c->pod_namespace, c->pod,
			      c->name);
	(void)shown(ret, size, *c->pod ? name : c->entry.id);
}

static void add_container(struct table *t, const struct scan_container *c)
{
	const struct report *r = c->verdict.report;
	char name[240], verdict[60] = "", runtime[NAME_SHOWN + 1], image[NAME_SHOWN + 1];

	name_container(c->c, name, sizeof(name));
	add_item(verdict, sizeof(verdict), r ? verdict_name(r) : "not judged");
	if (scan_container_lies(c))
		add_item(verdict, sizeof(verdict), "mislabelled");
	table_row(t, scan_container_is_bad(c) ? TONE_BAD : TONE_PLAIN, 5, name, c->c->space->name,
		  safe(c->c->entry.runtime, runtime), safe(c->c->entry.image, image),
		  *c->verdict.platform ? c->verdict.platform : "-", verdict);
}

static void print_containers(const struct scan *s)
{
	CLEANUP_TABLE struct table t = { NULL, 0, 0 };

	if (!s->n_containers)
		return;
	table_row(&t, TONE_PLAIN, 0, "CONTAINER", "NAMESPACE", "RUNTIME", "IMAGE", "PLATFORM",
		  "VERDICT");
	for (size_t i = 0; i < s->n_containers; i++)
		add_container(&t, &s->containers[i]);
	putchar('\n');
	table_print(&t, 0);
}

/* --- what is wrong --------------------------------------------------------------------------- */

static void print_lie(const char *says, const char *declared, const struct report *r)
{
	printf("  %smislabelled%s: ", tone_on(TONE_BAD), tone_off());
	if (*says && *declared && !str_eq(says, declared))
		printf("the index says %s, ", says);
	printf("the configuration says %s", *declared ? declared : "nothing");
	if (r && *r->guest)
		printf(", %s is %s", r->program, r->guest);
	putchar('\n');
}

static void print_unreadable(const char *platform, const char *why)
{
	printf("  %sunreadable%s: %s%s%s\n", tone_on(TONE_BAD), tone_off(), platform,
	       *platform ? ": " : "", why);
}

static void print_bad_image(const struct scan_image *image)
{
	char name[NAME_SHOWN + 1];

	printf("\n%s\n", safe(scan_image_name(image), name));
	if (*image->error)
		print_unreadable("", image->error);
	for (size_t i = 0; i < image->members.n; i++) {
		const struct scan_variant *v = &image->variants[i];
		const struct image_member *m = v->verdict.member;
		const struct report *r = v->verdict.report;

		if (v->unreadable)
			print_unreadable(platform_of(m), v->verdict.why);
		if (scan_variant_lies(v))
			print_lie(m->platform, m->declared, r);
		if (r && r->verdict == VERDICT_REFUSE)
			verdict_print(r, 2);
	}
}

static void print_bad_container(const struct scan_container *c)
{
	char name[240];

	name_container(c->c, name, sizeof(name));
	printf("\n%s\n", name);
	if (scan_container_lies(c))
		print_lie("", c->verdict.platform, c->verdict.report);
	if (c->verdict.report->verdict == VERDICT_REFUSE)
		verdict_print(c->verdict.report, 2);
}

void scan_print(const struct scan *s)
{
	struct scan_summary sum;

	scan_summary_make(s, &sum);
	print_summary(&sum);
	print_images(s);
	print_containers(s);
	for (size_t i = 0; i < s->n_images; i++)
		if (scan_image_is_bad(&s->images[i]))
			print_bad_image(&s->images[i]);
	for (size_t i = 0; i < s->n_containers; i++)
		if (scan_container_is_bad(&s->containers[i]))
			print_bad_container(&s->containers[i]);
	printf("\n%zu images, %zu containers: %zu refused, %zu mislabelled, %zu unreadable\n",
	       s->n_images, s->n_containers, sum.refused, sum.mislabelled, sum.unread);
}
