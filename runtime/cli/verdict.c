/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/verdict.h"

#include <stdio.h>

#include "runtime/base/str.h"
#include "runtime/cli/cli.h"
#include "runtime/cli/output.h"

const char *verdict_name(const struct report *r)
{
	static const char *const names[VERDICT_N] = {
		[VERDICT_NONE] = "unknown",
		[VERDICT_NATIVE] = "native",
		[VERDICT_EMULATE] = "emulated",
		[VERDICT_REFUSE] = "refused",
	};

	return names[r->verdict < VERDICT_N ? r->verdict : VERDICT_NONE];
}

static enum tone verdict_tone(const struct report *r)
{
	if (r->verdict == VERDICT_REFUSE)
		return TONE_BAD;
	if (r->verdict == VERDICT_NONE || r->n_warnings)
		return TONE_WARN;
	return TONE_GOOD;
}

/* What runs and how, in the words after the verdict. */
static void verdict_text(const struct report *r, char *text, size_t size)
{
	switch ((enum verdict)r->verdict) {
	case VERDICT_NATIVE:
		if (*r->guest)
			(void)str_fmt(text, size, "%s is %s", r->program, r->guest);
		else
			(void)str_fmt(text, size,
				      "nothing speaks against %s; the engine will find it or not",
				      r->program);
		return;
	case VERDICT_EMULATE:
		(void)str_fmt(text, size, "%s is %s, run by the handler %s", r->program, r->guest,
			      r->handler);
		return;
	case VERDICT_REFUSE:
		(void)str_copy(text, size, r->line);
		return;
	case VERDICT_NONE:
	case VERDICT_N:
		(void)str_copy(text, size, r->err.text);
		return;
	}
}

void verdict_print(const struct report *r, unsigned int indent)
{
	char text[1100];

	verdict_text(r, text, sizeof(text));
	printf("%*s%s%s%s: %s\n", (int)indent, "", tone_on(verdict_tone(r)), verdict_name(r),
	       tone_off(), text);
	for (size_t i = 0; i < r->n_warnings; i++)
		printf("%*s%swarning%s: %s\n", (int)indent, "", tone_on(TONE_WARN), tone_off(),
		       r->warnings[i]);
}

json *verdict_json(const struct report *r)
{
	json *o = json_object_new_object(), *warnings = json_object_new_array();

	json_put_text(o, "verdict", verdict_name(r));
	json_put_text(o, "program", r->program);
	json_put_text(o, "guest", *r->guest ? r->guest : NULL);
	json_put_text(o, "handler", *r->handler ? r->handler : NULL);
	json_put_text(o, "code", *r->code ? r->code : NULL);
	json_put_text(o, "line", *r->line ? r->line : NULL);
	json_put_text(o, "error", r->verdict == VERDICT_NONE ? r->err.text : NULL);
	for (size_t i = 0; i < r->n_warnings; i++)
		json_object_array_add(warnings, json_object_new_string(r->warnings[i]));
	json_object_object_add(o, "warnings", warnings);
	return o;
}

int verdict_status(const struct report *r)
{
	return r->verdict == VERDICT_NATIVE || r->verdict == VERDICT_EMULATE ? CLI_DONE
									     : CLI_FAILED;
}
