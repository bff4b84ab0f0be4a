/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/choose/chooser.h"

#include "runtime/base/str.h"

void chooser_refuse(struct chooser *c, enum cause cause, const struct choice_facts *facts)
{
	struct report *r = c->report;
	char line[DIAGNOSIS_MAX + 1];

	choice_line(cause, facts, line);
	r->verdict = VERDICT_REFUSE;
	(void)str_copy(r->code, sizeof(r->code), cause_choice_row(cause)->code);
	(void)str_copy(r->line, sizeof(r->line), line);
}
