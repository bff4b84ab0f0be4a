/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/log.h"
#include "shim/task/crash_watch.h"
#include "shim/task/exec.h"
#include "shim/task/exit.h"
#include "shim/task/methods.h"
#include "shim/task/operation.h"
#include "shim/task/restore.h"
#include "shim/task/task_events.h"
#include "shim/task/tasks.h"

/* Start of init. The start of an exec is exec.c's. */

static void on_started(struct operation *op, uint32_t code)
{
	Crossarch__PidResponse reply = CROSSARCH__PID_RESPONSE__INIT;
	struct process *p = op->process;

	if (code || op->timed_out) {
		operation_engine_failed(op, code);
		return;
	}
	if (!p->exited)
		p->state = PROCESS_RUNNING;
	crash_watch(p->task);
	publish_start(p);
	log_debug(operation_subject(op), "started, process %d", (int)p->pid);
	reply.pid = (uint32_t)p->pid;
	operation_succeed(op, &reply.base);
	/* It may have run to its end before the engine returned; only now may that be told. */
	process_settle(p);
}

static void start_undo(struct operation *op, const struct err *why)
{
	struct process *p = op->process;

	operation_end(op, why);
	process_settle(p);
}

static void start_init(struct process *p, struct call *call)
{
	struct engine_request r = { .verb = ENGINE_START, .id = p->task->id };
	struct operation *op;
	struct err err;

	op = operation_new(p->task, p, call, &err);
	if (!op) {
		call_fail(call, &err);
		return;
	}
	op->undo = start_undo;
	if (operation_engine(op, &r, NULL, false, on_started, &err) < 0)
		operation_fail(op, &err);
}

void task_start(void *owner, struct call *call)
{
	const Crossarch__ProcessRequest *req = call->request;
	struct process *p;
	struct err err;

	if (tasks_find_process(owner, req->id, req->exec_id, &p, &err) < 0) {
		call_fail(call, &err);
		return;
	}
	if (operation_defer(p, call))
		return;
	if (state_check(p->state, OP_START, &err) < 0)
		call_fail(call, &err);
	else if (p->exec_id)
		exec_start(p, call);
	else if (p->task->checkpoint)
		restore_start(p->task, call);
	else
		start_init(p, call);
}
