/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/emulator_display.h"

#include <stdio.h>

#include "runtime/base/str.h"
#include "runtime/binfmt/rule.h"
#include "runtime/cli/boot_file.h"

void emulator_flags(const struct emulator *e, char text[8])
{
	binfmt_flag_letters(e->entry->flags, text);
	if (!text[0])
		(void)str_copy(text, 8, "-");
}

const char *emulator_state(const struct node *n, const struct emulator *e)
{
	if (!e->entry->enabled)
		return "disabled";
	if (n->binfmt.state == BINFMT_OFF)
		return "all off";
	if (e->arch && e->native)
		return "shadows native";
	return e->arch && !e->used ? "covered" : "enabled";
}

void emulator_outcome(const struct emulator *e, char *text, size_t size, enum tone *ret_tone)
{
	*ret_tone = TONE_DIM;
	if (e->works == WORKS_YES && e->apart[0]) {
		*ret_tone = TONE_BAD;
		(void)str_fmt(text, size, "not in containers: %s", e->apart);
	} else if (e->works == WORKS_YES) {
		*ret_tone = TONE_GOOD;
		(void)str_copy(text, size, "works");
	} else if (e->works == WORKS_NO) {
		*ret_tone = TONE_BAD;
		(void)str_fmt(text, size, "fails: %s", e->why);
	} else {
		(void)str_copy(text, size, "not tried");
	}
}

static const char *kind_text(const struct emulator *e)
{
	return e->arch ? e->kind->name : "-";
}

static bool has_kind(const struct node *n, const struct emulator_kind *k)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->list[i].arch && n->list[i].kind == k)
			return true;
	return false;
}

/* What those on the list cannot do. */
static void print_limits(const struct node *n)
{
	size_t n_kinds;
	const struct emulator_kind *kinds = emulator_kinds(&n_kinds);

	for (size_t i = 0; i < n_kinds; i++)
		if (kinds[i].limits[0] && has_kind(n, &kinds[i]))
			printf("%s %s.\n", kinds[i].label, kinds[i].limits);
}

static void print_table(const struct node *n, bool tried)
{
	CLEANUP_TABLE struct table t = { NULL, 0, 0 };

	table_row(&t, TONE_PLAIN, 0, "HANDLER", "FOR", "STATE", "FLAGS", "EMULATOR", "VERSION",
		  "AFTER REBOOT", "INTERPRETER", tried ? "BUILT-IN PROGRAM" : "");
	for (size_t i = 0; i < n->n; i++) {
		const struct emulator *e = &n->list[i];
		char flags[8], works[200] = "";
		enum tone tone = TONE_PLAIN;

		emulator_flags(e, flags);
		if (tried)
			emulator_outcome(e, works, sizeof(works), &tone);
		table_row(&t, tone, 8, e->entry->name, e->arch ? arch_label(e->arch) : "-",
			  emulator_state(n, e), flags, kind_text(e),
			  e->version[0] ? e->version : "-",
			  boot_file_is_read(e->boot) ? "yes" : "no", e->entry->interpreter, works);
	}
	table_print(&t, 0);
}

void emulators_print(const struct node *n, bool tried)
{
	print_table(n, tried);
	print_limits(n);
}

static json *emulator_json(const struct node *n, const struct emulator *e)
{
	json *o = json_object_new_object();
	char flags[8];

	emulator_flags(e, flags);
	json_put_text(o, "handler", e->entry->name);
	json_put_text(o, "architecture", e->arch ? arch_label(e->arch) : NULL);
	json_put_text(o, "state", emulator_state(n, e));
	json_put_bool(o, "enabled", e->entry->enabled);
	json_put_text(o, "flags", str_eq(flags, "-") ? "" : flags);
	json_put_text(o, "interpreter", e->entry->interpreter);
	json_put_text(o, "emulator", e->arch ? e->kind->name : NULL);
	json_put_text(o, "limits", e->arch && e->kind->limits[0] ? e->kind->limits : NULL);
	json_put_text(o, "version", e->version[0] ? e->version : NULL);
	json_put_text(o, "boot_file", e->boot[0] ? e->boot : NULL);
	json_put_bool(o, "after_reboot", boot_file_is_read(e->boot));
	if (e->works == WORKS_UNTRIED)
		json_put_text(o, "works", NULL);
	else
		json_put_bool(o, "works", e->works == WORKS_YES);
	if (e->works == WORKS_NO)
		json_put_text(o, "why", e->why);
	if (e->apart[0])
		json_put_text(o, "not_in_containers", e->apart);
	return o;
}

void emulators_print_json(const struct node *n)
{
	json *list = json_object_new_array();

	for (size_t i = 0; i < n->n; i++)
		json_object_array_add(list, emulator_json(n, &n->list[i]));
	json_show(list);
}

const char *emulators_absence(const struct node *n)
{
	switch (n->binfmt.state) {
	case BINFMT_UNSUPPORTED:
		return "this kernel has no binfmt_misc: load the module (modprobe binfmt_misc), or "
		       "use a kernel with CONFIG_BINFMT_MISC";
	case BINFMT_NOT_MOUNTED:
		return "binfmt_misc is not mounted, so nothing is registered; \"crossarch "
		       "emulators install ARCH\" mounts it";
	case BINFMT_UNKNOWN:
		return "binfmt_misc cannot be seen from here: run this on the node itself";
	case BINFMT_OFF:
	case BINFMT_ON:
		break;
	}
	return NULL;
}
