/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/explain.h"
#include "runtime/cli/output.h"

#define WIDTH 92

static bool is_message(const struct explanation *e)
{
	size_t n;
	const struct explained_message *m = explained_messages(&n);

	for (size_t i = 0; i < n; i++)
		if (e == &m[i].explanation)
			return true;
	return false;
}

static const char *severity(const struct explanation *e)
{
	return is_message(e) ? "pull" : e->warning ? "warning" : "refused";
}

static void print_list(void)
{
	CLEANUP_TABLE struct table t = { NULL, 0, 0 };
	const struct explained_message *m;
	size_t n;
	const struct explanation *e = explanations(&n);

	for (size_t i = 0; i < n; i++)
		table_row(&t, e[i].warning ? TONE_WARN : TONE_PLAIN, 1, e[i].code, severity(&e[i]),
			  e[i].summary);
	m = explained_messages(&n);
	for (size_t i = 0; i < n; i++) {
		e = &m[i].explanation;
		table_row(&t, TONE_PLAIN, 1, e->code, severity(e), e->summary);
	}
	table_print(&t, 0);
}

static void print_one(const struct explanation *e)
{
	const char *rest = e->remedies, *line;
	size_t n;

	printf("%s: %s\n%s\n\nWhat it means\n", e->code, e->summary,
	       is_message(e) ? "A pull that fails: no container is made."
	       : e->warning  ? "A warning: the container starts."
			     : "The container is refused before it starts.");
	print_wrapped(e->cause, 2, WIDTH);
	puts("\nHow it is found out");
	print_wrapped(e->detection, 2, WIDTH);
	puts("\nWhat to do");
	while (str_line(&rest, &line, &n))
		printf("  - %.*s\n", (int)n, line);
}

static json *remedies_json(const char *remedies)
{
	json *list = json_object_new_array();
	const char *line;
	size_t n;

	while (str_line(&remedies, &line, &n))
		json_object_array_add(list, json_object_new_string_len(line, (int)n));
	return list;
}

static json *one_json(const struct explanation *e)
{
	json *o = json_object_new_object();

	json_put_text(o, "code", e->code);
	json_put_text(o, "severity", severity(e));
	json_put_text(o, "summary", e->summary);
	json_put_text(o, "cause", e->cause);
	json_put_text(o, "detection", e->detection);
	json_object_object_add(o, "remedies", remedies_json(e->remedies));
	return o;
}

static void print_list_json(void)
{
	json *list = json_object_new_array();
	const struct explained_message *m;
	size_t n;
	const struct explanation *e = explanations(&n);

	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, one_json(&e[i]));
	m = explained_messages(&n);
	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, one_json(&m[i].explanation));
	json_show(list);
}

/* People paste what they see: "crossarch[no-emulator]:" means no-emulator. */
static const struct explanation *find(const char *typed)
{
	const char *open = strchr(typed, '[');
	char code[64];
	size_t n;
	const struct explained_message *m = explained_messages(&n);

	for (size_t i = 0; i < n; i++)
		if (strstr(typed, m[i].words) || str_eq(typed, m[i].explanation.code))
			return &m[i].explanation;
	if (!open)
		return explanation_of(typed);
	(void)str_fmt(code, sizeof(code), "%.*s", (int)strcspn(open + 1, "]"), open + 1);
	return explanation_of(code);
}

static int run_explain(const struct cli_command *self, int argc, char **argv)
{
	bool as_json = false;
	const struct cli_option options[] = {
		{ "json", 0, CLI_FLAG, &as_json, NULL, "print JSON" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	const struct explanation *e;
	struct cli_operands operands;
	int status;

	if (!cli_parse(self, options, 0, 1, argc, argv, &operands, &status))
		return status;
	if (!operands.n) {
		if (as_json)
			print_list_json();
		else
			print_list();
		return CLI_DONE;
	}
	e = find(operands.v[0]);
	if (!e)
		return cli_usage(self, "no code \"%s\"; \"crossarch explain\" lists them",
				 operands.v[0]);
	if (as_json)
		json_show(one_json(e));
	else
		print_one(e);
	return CLI_DONE;
}

const struct cli_command cmd_explain = {
	.name = "explain",
	.operands = "[CODE]",
	.summary = "say what a diagnosis means and what can be done",
	.text = "CODE is the word in brackets of a line such as \"crossarch[no-emulator]: ...\". "
		"Without\n"
		"it all codes are listed. containerd's \"no match for platform in manifest\" is "
		"explained as well.\n"
		"\n"
		"Examples:\n"
		"  crossarch explain no-emulator\n"
		"  crossarch explain\n",
	.run = run_explain,
};
