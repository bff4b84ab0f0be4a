/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "shim/task/methods.h"
#include "shim/task/operation.h"
#include "shim/task/tasks.h"

/*
 * Kill never waits for what else is in flight: a container whose engine hangs must still be
 * killable. A signal for one process goes through its pidfd, which cannot hit a recycled pid; only
 * what needs the container's cgroup (all processes, or thawing a paused one) goes through the
 * engine. An exec of a paused container is not the container: its signal waits for Resume.
 */

static void on_engine_killed(struct operation *op, uint32_t code)
{
	if (code || op->timed_out)
		operation_engine_failed(op, code);
	else
		operation_succeed(op, NULL);
}

/* Killing what is gone already is no failure for "all": CRI sends that after every exit. */
static void kill_all_undo(struct operation *op, const struct err *why)
{
	if (op->task->init.exited)
		operation_succeed(op, NULL);
	else
		operation_end(op, why);
}

static void kill_by_engine(struct task *t, enum engine_verb verb, unsigned int sig,
			   struct call *call)
{
	struct engine_request r = { .verb = verb, .id = t->id, .signal = sig };
	struct operation *op;
	struct err err;

	op = operation_new(t, NULL, call, &err);
	if (!op) {
		call_fail(call, &err);
		return;
	}
	op->undo = verb == ENGINE_KILL_ALL ? kill_all_undo : NULL;
	if (operation_engine(op, &r, NULL, false, on_engine_killed, &err) < 0)
		operation_fail(op, &err);
}

static int check_kill(const struct process *p, const Crossarch__KillRequest *req, struct err *err)
{
	if (req->signal > (uint32_t)SIGRTMAX)
		return err_set(err, ERR_INVALID, "%u is not a signal number", req->signal);
	if (req->all && !p->exec_id)
		return state_check(p->state, OP_KILL_ALL, err);
	if (p->exited)
		return err_set(err, ERR_NOT_FOUND, "process already finished");
	if (!p->pid)
		return err_set(err, ERR_PRECONDITION, "process not created");
	return state_check(p->state, OP_KILL, err);
}

void task_kill(void *owner, struct call *call)
{
	const Crossarch__KillRequest *req = call->request;
	struct process *p;
	struct err err;

	if (tasks_find_process(owner, req->id, req->exec_id, &p, &err) < 0) {
		call_fail(call, &err);
		return;
	}
	stdio_hurry(&p->io);
	if (check_kill(p, req, &err) < 0) {
		call_fail(call, &err);
		return;
	}
	if (req->all && !p->exec_id && p->exited && p->task->private_pid)
		call_reply(call, NULL); /* the kernel ended the whole namespace with its init */
	else if (req->all && !p->exec_id)
		kill_by_engine(p->task, ENGINE_KILL_ALL, req->signal, call);
	else if (!p->exec_id && p->state == PROCESS_PAUSED && req->signal == SIGKILL)
		kill_by_engine(p->task, ENGINE_KILL, req->signal, call);
	else if (child_signal(&p->child, (int)req->signal, &err) < 0)
		call_fail(call, &err);
	else
		call_reply(call, NULL);
}
