/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/plan/diagnosis.h"

#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/plan/sentence.h"
#include "runtime/plan/template.h"

/* True when @name, @n bytes, is one of the @n_list placeholders, which has been put. */
static bool put_one_of(struct sentence *s, const struct placeholder *list, size_t n_list,
		       const char *name, size_t n)
{
	for (size_t i = 0; i < n_list; i++)
		if (strlen(list[i].name) == n && memcmp(list[i].name, name, n) == 0) {
			list[i].put(s);
			return true;
		}
	return false;
}

static bool put_placeholder(void *ctx, const char *name, size_t n)
{
	size_t n_facts, n_fixes;
	const struct placeholder *facts = describe_placeholders(&n_facts);
	const struct placeholder *fixes = fix_placeholders(&n_fixes);

	return put_one_of(ctx, facts, n_facts, name, n) || put_one_of(ctx, fixes, n_fixes, name, n);
}

static void put_template(struct sentence *s, const char *template)
{
	template_write(s->out, template, put_placeholder, s);
}

/* A last sentence when the image says it is something else, unless the line said so already. */
static void put_label(struct sentence *s, const struct cause_row *row)
{
	const struct arch *guest = facts_guest(s->f), *declared = platform_arch(&s->f->declared);

	if (!guest || !declared || str_eq(guest->name, declared->name) ||
	    strstr(row->what, "{declared}") || strstr(row->why, "{declared}"))
		return;
	text_add(s->out, " The image declares ");
	put_declared(s);
	text_add(s->out, ".");
}

/* A program that came in by a volume was not built with the image: say where from. */
static void put_volume(struct sentence *s)
{
	const struct program_file *last = facts_last(s->f);

	if (!last->volume)
		return;
	text_add(s->out, " (from the volume at ");
	text_name(s->out, last->volume, 50);
	text_add(s->out, ")");
}

void diagnosis_line(const struct facts *f, const struct plan *p, enum cause c,
		    char line[DIAGNOSIS_MAX + 1])
{
	const struct cause_row *row = cause_row(c);
	struct text out;
	struct sentence s = { f, p, &out };

	text_init(&out, line, DIAGNOSIS_MAX + 1);
	text_printf(&out, "crossarch[%s]: ", row->code);
	put_template(&s, row->what);
	put_volume(&s);
	text_add(&out, "; ");
	put_template(&s, row->why);
	text_add(&out, ". Fix: ");
	put_template(&s, row->fix);
	text_add(&out, ".");
	put_label(&s, row);
}

void diagnosis_config(const struct complaint *bad, char line[DIAGNOSIS_MAX + 1])
{
	struct text out;

	text_init(&out, line, DIAGNOSIS_MAX + 1);
	text_printf(&out, "crossarch[%s]: ", cause_row(CAUSE_CONFIG)->code);
	text_name(&out, bad->what, 380);
	text_add(&out, "; ");
	text_name(&out, bad->why, 280);
	text_add(&out, ". Fix: ");
	text_name(&out, bad->fix, 180);
	text_add(&out, ".");
}

void diagnosis_program(const struct facts *f, char *text, size_t size)
{
	struct text out;
	struct sentence s = { f, NULL, &out };

	text_init(&out, text, size);
	put_program(&s);
}

void diagnosis_platform(const struct arch *a, char *text, size_t size)
{
	(void)str_fmt(text, size, "linux/%s", a ? a->name : "unknown");
}
