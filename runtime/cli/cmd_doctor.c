/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/ctrd.h"
#include "runtime/cli/doctor.h"
#include "runtime/cli/out.h"

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

/* --- the list ------------------------------------------------------------------------------ */

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

/* --- printing ------------------------------------------------------------------------------ */

static void print_text(const struct findings *f)
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
}

static void print_json(const struct findings *f, size_t bad)
{
	json *o = json_object_new_object(), *list = json_object_new_array();

	json_put_bool(o, "ok", !bad);
	for (size_t i = 0; i < f->n; i++) {
		const struct finding *one = &f->list[i];
		json *row = json_object_new_object();

		json_put_text(row, "section", one->section);
		json_put_text(row, "name", one->name);
		json_put_text(row, "status", grades[one->grade].word);
		json_put_text(row, "value", one->value);
		json_put_text(row, "fix", one->fix[0] ? one->fix : NULL);
		json_object_array_add(list, row);
	}
	json_object_object_add(o, "findings", list);
	json_show(o);
}

static size_t count(const struct findings *f, enum grade grade)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->list[i].grade == grade;
	return n;
}

static void print_summary(const struct findings *f, size_t bad)
{
	size_t warnings = count(f, GRADE_WARN);

	if (!bad && !warnings)
		printf("\n%sAll well.%s\n", tone_on(TONE_GOOD), tone_off());
	else
		printf("\n%zu problem%s, %zu warning%s\n", bad, bad == 1 ? "" : "s", warnings,
		       warnings == 1 ? "" : "s");
}

/* --- the command --------------------------------------------------------------------------- */

static int run(const struct cli_command *self, int argc, char **argv)
{
	CLEANUP_FREE struct findings *f = calloc(1, sizeof(*f));
	const char *socket = CTRD_SOCKET;
	bool as_json = false, quiet = false;
	const struct cli_option options[] = {
		{ "address", 'a', CLI_STRING, &socket, "SOCK",
		  "containerd's socket (" CTRD_SOCKET ")" },
		{ "json", 0, CLI_FLAG, &as_json, NULL, "print JSON" },
		{ "quiet", 'q', CLI_FLAG, &quiet, NULL, "print nothing, only exit" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	struct cli_operands operands;
	int status;
	size_t bad;

	if (!cli_parse(self, options, 0, 0, argc, argv, &operands, &status))
		return status;
	if (!f)
		return cli_fail(self, "no memory");
	if (quiet)
		be_quiet();
	doctor_node(f);
	doctor_emulators(f);
	doctor_engines(f, socket);
	doctor_containerd(f, socket);
	bad = count(f, GRADE_BAD);
	if (as_json) {
		print_json(f, bad);
	} else {
		print_text(f);
		print_summary(f, bad);
	}
	return bad ? CLI_FAILED : CLI_DONE;
}

const struct cli_command cmd_doctor = {
	.name = "doctor",
	.operands = "",
	.summary = "look the whole node over, and say how to fix what is wrong",
	.text = "Every emulator is really run, with a built-in program of its architecture. Exit "
		"status 1 when\n"
		"there is a problem; warnings do not count.\n"
		"\n"
		"Examples:\n"
		"  crossarch doctor\n"
		"  crossarch doctor --json | jq '.findings[] | select(.status != \"ok\")'\n",
	.run = run,
};
