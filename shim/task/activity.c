/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/activity.h"

#include "runtime/base/log.h"
#include "runtime/base/str.h"
#include "shim/task/operation.h"

static void log_process(const struct process *p)
{
	char process[32] = "";

	if (p->pid)
		str_fmt(process, sizeof(process), ", process %d", (int)p->pid);
	log_info(process_subject(p), "%s%s: %s%s%s", p->exec_id ? "exec " : "container",
		 p->exec_id ? p->exec_id : "", state_name(p->state), process,
		 p->exited && !p->published ? ", its exit not told yet" : "");
}

static void log_operation(const struct operation *op)
{
	const char *method = op->call ? op->call->method->name : "what nobody waits for";

	if (list_empty(&op->runs))
		log_info(operation_subject(op), "%s: waits for no process", method);
	list_for_each(node, &op->runs) {
		const struct run *run = list_entry(node, struct run, in_operation);

		if (run == &op->engine)
			log_info(operation_subject(op), "%s: waits for the engine's %s, process %d",
				 method, engine_verb_name(op->verb), (int)run->child.pid);
		else
			log_info(operation_subject(op), "%s: waits for process %d", method,
				 (int)run->child.pid);
	}
}

static void log_task(const struct task *t)
{
	log_process(&t->init);
	list_for_each(node, &t->execs)
		log_process(list_entry(node, struct process, in_task));
	list_for_each(node, &t->operations)
		log_operation(list_entry(node, struct operation, in_task));
}

void activity_log(const struct tasks *ts, const struct events *e)
{
	log_info(context_subject(ts->context), "SIGUSR1: containers: %u, events on the way: %u%s",
		 tasks_count(ts), e->queued, ts->closed ? ", leaving" : "");
	list_for_each(node, &ts->list)
		log_task(list_entry(node, struct task, in_tasks));
}
