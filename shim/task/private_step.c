/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/private_step.h"

#include "runtime/base/log.h"
#include "runtime/base/mem.h"

void private_step_deinit(struct private_step *s)
{
	free(s->report);
	s->report = NULL;
}

void private_step_take(struct private_step *s, struct report *r_take)
{
	private_step_deinit(s);
	if (r_take->flags & REPORT_PRIVATE)
		s->report = r_take;
	else
		free(r_take);
}

int private_step_start(struct private_step *s, struct platform_check *c, struct operation *op,
		       void (*done)(struct operation *), struct err *err)
{
	const struct task *t = op->task;
	struct prepare_request r = {
		.bundle = t->bundle,
		.init_pid = (uint64_t)t->init.pid,
		.guest_row = (uint64_t)s->report->guest_row + 1,
		.pod = t->private_pod,
		.program = s->report->program,
		.guest = s->report->guest,
	};

	return platform_check_private(c, op, &r, done, err);
}

int private_step_done(struct private_step *s, struct platform_check *c, struct operation *op,
		      struct err *err)
{
	struct report *r = platform_check_report(c, op, err);

	if (r)
		log_write(LOG_INFO, operation_subject(op),
			  LOG_FIELDS(.handler = s->report->handler, .platform = s->report->guest,
				     .program = s->report->program),
			  "%s: registered for this pod alone", s->report->handler);
	free(r);
	private_step_deinit(s);
	return r ? 0 : -1;
}
