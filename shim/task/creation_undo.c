/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/creation.h"

#include "runtime/base/log.h"
#include "shim/host/unmount.h"
#include "shim/task/discard.h"
#include "shim/task/engine_record.h"
#include "shim/task/operation.h"
#include "shim/task/pod_record.h"

#define UNDO_BOUND_NS S_TO_NS(10)

static void undone(struct operation *op, uint32_t code)
{
	struct creation *c = op->data;
	struct task *task = op->task;
	struct tasks *tasks = c->tasks;
	bool orphaned = op->call && !op->call->conn;
	struct engine engine = task_engine(task);
	struct err why = c->why;

	if (code)
		log_error(operation_subject(op),
			  "%s/rootfs could not be unmounted; \"delete\" tries again", task->bundle);
	operation_end(op, &why);
	if (!engine_record_is_known(&engine, task->id))
		pod_record_drop(task->context->home, task->id);
	task_discard(task);
	if (orphaned)
		tasks->on_deserted(tasks); /* its Shutdown came, and went, while this hung */
}

static int undo_run(void *arg)
{
	const struct task *task = arg;

	engine_record_sweep(task->bundle, task->id);
	return bundle_unmount(task->bundle);
}

static void undo_mounts(struct operation *op, uint32_t code)
{
	struct err err;

	(void)code;
	if (operation_fork(op, undo_run, op->task, undone, &err) < 0) {
		log_write(LOG_ERROR, operation_subject(op), LOG_FIELDS(.error = err.text),
			  "unmount");
		undone(op, 0);
	}
}

void creation_undo(struct operation *op, const struct err *why)
{
	struct engine_request r = { .verb = ENGINE_DELETE, .id = op->task->id };
	struct creation *c = op->data;
	struct err err;

	c->why = *why;
	/* A report that comes now would go on with what is being undone. */
	platform_choice_stop(&c->choice);
	platform_check_stop(&c->check);
	/* An init that waits there is nobody's concern any more: the engine ends it. */
	child_forget(&op->task->init.child);
	stdio_give_up(&op->task->init.io);
	if (op->call) {
		op->call->deadline_ns = 0; /* cleaning up has a bound of its own */
		op->call->on_peer_gone = NULL;
	}
	op->bound_ns = UNDO_BOUND_NS;
	op->timed_out = false;
	if (c->engine_ran && operation_engine(op, &r, NULL, false, undo_mounts, &err) == 0)
		return;
	undo_mounts(op, 0);
}
