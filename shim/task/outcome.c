/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/outcome.h"

#include <string.h>

#include "runtime/base/log.h"
#include "runtime/base/outcomes.h"
#include "runtime/base/str.h"

static void count(const struct task *t, const char *verdict, const char *code, const char *platform)
{
	const char *slash = t->engine_path ? strrchr(t->engine_path, '/') : NULL;
	const struct outcome o = { verdict, code, platform, slash ? slash + 1 : "" };
	struct err err;

	if (outcome_count(OUTCOMES_DIR, OUTCOMES_NAME, &o, &err) < 0)
		log_debug(t->id, "not counted as %s: %s", verdict, err.text);
}

/* CODE of "crossarch[CODE]: ...", "" where there is none. */
static void code_of(const char *line, char ret[static 32])
{
	const char *begin = str_after(line, "crossarch[");
	size_t n = begin ? strcspn(begin, "]") : 0;

	ret[0] = '\0';
	if (n < 32 && begin && begin[n]) {
		memcpy(ret, begin, n);
		ret[n] = '\0';
	}
}

void outcome_runs(const struct task *t, const char *platform)
{
	count(t, t->emulated ? OUTCOME_EMULATED : OUTCOME_NATIVE, "", platform);
}

static bool is_exec(const struct operation *op)
{
	return op->process && op->process->exec_id;
}

void outcome_refused(const struct operation *op, const char *line, const char *platform)
{
	char code[32];

	log_warning(op->task->id, "refused: %s", line);
	if (is_exec(op))
		return;
	code_of(line, code);
	count(op->task, OUTCOME_REFUSED, code, platform);
}

void outcome_unknown(const struct operation *op)
{
	if (!is_exec(op))
		count(op->task, OUTCOME_UNKNOWN, "", "");
}

void outcome_crashed(const struct task *t, const struct report *r)
{
	count(t, OUTCOME_CRASHED, r->code, r->guest);
}
