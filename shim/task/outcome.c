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
		log_write(LOG_DEBUG, task_subject(t), LOG_FIELDS(.error = err.text),
			  "not counted as %s", verdict);
}

static bool is_exec(const struct operation *op)
{
	return op->process && op->process->exec_id;
}

/* What is known of the program, whatever became of it. */
static struct log_fields fields_of(const struct task *t, const struct report *r)
{
	return (struct log_fields){ .platform = r->guest,
				    .handler = r->handler,
				    .program = r->program,
				    .engine = t->engine_path };
}

void outcome_warnings(const struct operation *op, const struct report *r)
{
	struct log_fields f = fields_of(op->task, r);
	char code[32];

	f.code = code;
	for (uint32_t i = 0; i < r->n_warnings; i++) {
		report_code_of(r->warnings[i], code);
		log_write(LOG_WARNING, operation_subject(op), &f, "%s", r->warnings[i]);
	}
}

static void log_runs(const struct operation *op, const struct report *r)
{
	struct log_fields f = fields_of(op->task, r);

	if (r->verdict == VERDICT_EMULATE) {
		f.verdict = OUTCOME_EMULATED;
		log_write(is_exec(op) ? LOG_DEBUG : LOG_INFO, operation_subject(op), &f,
			  "%s is %s and runs through binfmt_misc handler %s", r->program, r->guest,
			  r->handler);
	} else if (r->verdict == VERDICT_NATIVE) {
		f.verdict = OUTCOME_NATIVE;
		log_write(LOG_DEBUG, operation_subject(op), &f, "%s runs natively", r->program);
	}
}

void outcome_found(const struct operation *op, const struct report *r)
{
	log_runs(op, r);
	outcome_warnings(op, r);
}

void outcome_runs(const struct task *t, const char *platform)
{
	count(t, t->emulated ? OUTCOME_EMULATED : OUTCOME_NATIVE, "", platform);
}

void outcome_refused(const struct operation *op, const char *line, const struct report *r)
{
	struct log_fields f = { .engine = op->task->engine_path };
	char code[32];

	if (r)
		f = fields_of(op->task, r);
	report_code_of(line, code);
	f.verdict = OUTCOME_REFUSED;
	f.code = code;
	log_write(LOG_WARNING, operation_subject(op), &f, "refused: %s", line);
	if (!is_exec(op))
		count(op->task, OUTCOME_REFUSED, code, r ? r->guest : "");
}

void outcome_unknown(const struct operation *op, const struct err *why)
{
	const struct log_fields f = { .verdict = OUTCOME_UNKNOWN, .error = why->text };

	log_write(LOG_WARNING, operation_subject(op), &f, "the check of the program failed");
	if (!is_exec(op))
		count(op->task, OUTCOME_UNKNOWN, "", "");
}

void outcome_crashed(const struct process *p, const struct report *r)
{
	struct log_fields f = fields_of(p->task, r);

	f.verdict = OUTCOME_CRASHED;
	f.code = r->code;
	log_write(LOG_WARNING, process_subject(p), &f, "%s ended with %u: %s", process_id(p),
		  p->exit.code, r->line);
	if (!p->exec_id)
		count(p->task, OUTCOME_CRASHED, r->code, r->guest);
}
