/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/exec_refusal.h"

#include "shim/task/exit.h"

static int end_refused(void *arg)
{
	(void)arg;
	return EXEC_REFUSAL_STATUS;
}

int exec_refusal_run(struct process *p, const char *line, struct err *err)
{
	const struct context *context = p->task->context;

	if (stdio_say(&p->io, line, err) < 0 ||
	    child_fork(&p->child, context->reaper, end_refused, NULL, process_on_exit, err) < 0)
		return -1;
	p->pid = p->child.pid;
	p->refused = true;
	return 0;
}
