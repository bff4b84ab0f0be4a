/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/findings.h"

#include <stdarg.h>
#include <stdio.h>

#include "runtime/base/str.h"
#include "runtime/cli/output.h"

#define NAME_WIDTH 20

static const struct {
	const char *word, *mark;
	enum tone tone;
} grades[] = {
	[GRADE_INFO] = { "info", "    ", TONE_DIM },
	[GRADE_GOOD] = { "ok", " ok ", TONE_GOOD },
	[GRADE_WARN] = { "warning", "warn", TONE_WARN },
	[GRADE_BAD] = { "problem", "BAD ", TONE_BAD },
};

/* --- the list -------------------------------------------------------------------------------- */

void found(struct findings *f, enum grade grade, const char *name, const char *fmt, ...)
{
	struct finding *one = &f->list[f->n];
	va_list ap;

	if (f->n == FINDINGS_MAX)
		return;
	*one = (struct finding){ .section = f->section, .grade = grade };
	(void)str_copy(one->name, sizeof(one->name), name);
	va_start(ap, fmt);
	(void)vsnprintf(one->value, sizeof(one->value), fmt, ap);
	va_end(ap);
	f->n++;
}

void fix(struct findings *f, const char *fmt, ...)
{
	va_list ap;

	if (!f->n)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(f->list[f->n - 1].fix, sizeof(f->list[0].fix), fmt, ap);
	va_end(ap);
}

size_t findings_count(const struct findings *f, enum grade grade)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->list[i].grade == grade;
	return n;
}

/* --- printing -------------------------------------------------------------------------------- */

const char *grade_word(enum grade grade)
{
	return grades[grade].word;
}

void findings_summary(const struct findings *f, char *text, size_t size)
{
	size_t bad = findings_count(f, GRADE_BAD);
	size_t warnings = findings_count(f, GRADE_WARN);

	if (!bad && !warnings)
		(void)str_copy(text, size, "All well");
	else
		(void)str_fmt(text, size, "%zu problem%s, %zu warning%s", bad, bad == 1 ? "" : "s",
			      warnings, warnings == 1 ? "" : "s");
}

static void print_summary(const struct findings *f)
{
	bool well = !findings_count(f, GRADE_BAD) && !findings_count(f, GRADE_WARN);
	char text[64];

	findings_summary(f, text, sizeof(text));
	printf("\n%s%s%s%s\n", well ? tone_on(TONE_GOOD) : "", text, well ? "." : "",
	       well ? tone_off() : "");
}

void findings_print(const struct findings *f)
{
	const char *section = "";

	for (size_t i = 0; i < f->n; i++) {
		const struct finding *one = &f->list[i];

		if (!str_eq(section, one->section))
			printf("%s%s\n", i ? "\n" : "", one->section);
		section = one->section;
		printf("  %s%s%s  %-*s %s\n", tone_on(grades[one->grade].tone),
		       grades[one->grade].mark, tone_off(), NAME_WIDTH, one->name, one->value);
		if (one->fix[0])
			printf("        %-*s -> %s\n", NAME_WIDTH - 3, "", one->fix);
	}
	print_summary(f);
}

void findings_print_json(const struct findings *f)
{
	json *o = json_object_new_object(), *list = json_object_new_array();

	json_put_bool(o, "ok", !findings_count(f, GRADE_BAD));
	for (size_t i = 0; i < f->n; i++) {
		const struct finding *one = &f->list[i];
		json *row = json_object_new_object();

		json_put_text(row, "section", one->section);
		json_put_text(row, "name", one->name);
		json_put_text(row, "status", grade_word(one->grade));
		json_put_text(row, "value", one->value);
		json_put_text(row, "fix", one->fix[0] ? one->fix : NULL);
		json_object_array_add(list, row);
	}
	json_object_object_add(o, "findings", list);
	json_show(o);
}
