/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <signal.h>

#include "runtime/base/log.h"
#include "runtime/base/str.h"
#include "shim/host/private_emulators.h"
#include "shim/task/discard.h"
#include "shim/task/engine_record.h"
#include "shim/task/exec_files.h"
#include "shim/task/methods.h"
#include "shim/task/operation.h"
#include "shim/task/pod_record.h"
#include "shim/task/task_events.h"
#include "shim/task/tasks.h"

/*
 * Delete of init: the output is handed over (bounded), then the engine forgets the container while
 * the rootfs is unmounted, then TaskDelete and the reply. Each step may be repeated: a Delete that
 * failed half-way is simply asked for again.
 */
#define DRAIN_BOUND_NS S_TO_NS(10) /* as the stock shim's, cmd/containerd-shim-runc-v2/process */
/* For the engine, where the client has no deadline. The unmounting takes what it takes. */
#define ENGINE_BOUND_NS S_TO_NS(10)

struct deletion {
	struct operation *op;
	struct timer bound; /* of the draining */
	bool engine_runs, unmount_runs, unmount_begun;
	bool still_known; /* to the engine, although it reported success */
	uint32_t engine_code;
};

static void fill_reply(const struct process *p, Crossarch__DeleteResponse *reply,
		       Crossarch__Timestamp *at)
{
	timestamp_set(at, &p->exit.at);
	reply->pid = (uint32_t)p->pid;
	reply->exit_status = p->exit.code;
	reply->exited_at = at;
}

/* --- an exec -------------------------------------------------------------------------------- */

static void exec_deleted(struct operation *op)
{
	Crossarch__DeleteResponse reply = CROSSARCH__DELETE_RESPONSE__INIT;
	Crossarch__Timestamp at = CROSSARCH__TIMESTAMP__INIT;
	struct process *p = op->process;

	fill_reply(p, &reply, &at);
	exec_remove_files(p);
	operation_succeed(op, &reply.base);
	exec_free(p);
}

/* --- init ----------------------------------------------------------------------------------- */

static void init_deleted(struct operation *op)
{
	Crossarch__DeleteResponse reply = CROSSARCH__DELETE_RESPONSE__INIT;
	Crossarch__Timestamp at = CROSSARCH__TIMESTAMP__INIT;
	struct task *t = op->task;

	fill_reply(&t->init, &reply, &at);
	publish_delete(t);
	operation_succeed(op, &reply.base);
	task_discard(t);
}

/* One of the two ended. The engine's failure is told first: the mount may be its consequence. */
static void one_less(struct operation *op)
{
	struct deletion *d = op->data;
	struct err err;

	if (d->engine_runs)
		return;
	if (d->unmount_runs && !op->timed_out) {
		operation_wait(op);
		return;
	}
	if (d->engine_code || op->timed_out) {
		operation_engine_failed(op, d->engine_code);
	} else if (d->still_known) {
		err_set(&err, ERR_ENGINE,
			"%s reported success and still knows the container; delete again",
			op->task->engine_path);
		operation_fail(op, &err);
	} else if (op->task->unmounter.mounted) {
		err_set(&err, ERR_IO, "failed to unmount %s/rootfs: it is busy; delete again",
			op->task->bundle);
		operation_fail(op, &err);
	} else {
		init_deleted(op);
	}
}

static void on_unmounted(struct unmounter *u)
{
	struct operation *op = container_of(u, struct task, unmounter)->init.op;
	struct deletion *d = op->data;

	d->unmount_runs = false;
	one_less(op);
}

static int unmount(struct operation *op, struct err *err)
{
	struct deletion *d = op->data;
	struct task *t = op->task;

	if (d->unmount_begun || (!t->unmounter.mounted && !private_emulators_any()))
		return 0;
	d->unmount_begun = d->unmount_runs = true;
	return unmounter_begin(&t->unmounter, t->context->reaper, t->bundle, on_unmounted, err);
}

static void on_engine_deleted(struct operation *op, uint32_t code)
{
	struct engine engine = task_engine(op->task);
	struct deletion *d = op->data;
	struct err err;

	d->engine_runs = false;
	d->engine_code = code;
	d->still_known = code == 0 && engine_record_is_known(&engine, op->task->id);
	if (code == 0 && !op->timed_out && !d->still_known) {
		engine_record_remove(op->task->bundle);
		pod_record_drop(op->task->context->home, op->task->id);
	}
	if (code == 0 && unmount(op, &err) < 0)
		operation_fail(op, &err);
	else
		one_less(op);
}

/* Hooks that run after the end may still want to see the root file system. */
static void delete_init(struct operation *op)
{
	struct engine_request r = { .verb = ENGINE_DELETE, .id = op->task->id };
	struct deletion *d = op->data;
	struct err err;

	if (operation_engine(op, &r, NULL, false, on_engine_deleted, &err) < 0) {
		operation_fail(op, &err);
		return;
	}
	d->engine_runs = true;
	if (!op->task->poststop && unmount(op, &err) < 0)
		operation_fail(op, &err);
}

/* --- both ----------------------------------------------------------------------------------- */

static void stop_draining(struct deletion *d)
{
	timer_disarm(&d->bound);
	d->op->process->io.on_drained = NULL;
}

static void deletion_free(void *data)
{
	struct deletion *d = data;

	stop_draining(d);
	if (d->unmount_begun)
		unmounter_leave(&d->op->task->unmounter);
	free(d);
}

static void drained(struct operation *op)
{
	stop_draining(op->data);
	if (op->process->exec_id)
		exec_deleted(op);
	else
		delete_init(op);
}

static void on_drained(struct stdio *io)
{
	struct process *p = container_of(io, struct process, io);

	if (p->op)
		drained(p->op);
}

static void on_bound(struct timer *t)
{
	struct deletion *d = container_of(t, struct deletion, bound);
	struct operation *op = d->op;

	log_warning(operation_subject(op), "output of %s was not read to its end",
		    process_id(op->process));
	stop_draining(d);
	stdio_give_up(&op->process->io);
	drained(op);
}

static void delete_undo(struct operation *op, const struct err *why)
{
	const struct deletion *d = op->data;
	struct err busy;

	op->process->deleting = false;
	if (op->timed_out && !d->engine_runs && d->unmount_runs) {
		err_set(&busy, ERR_TIMEOUT,
			"%s/rootfs is not unmounted yet; that goes on, delete again",
			op->task->bundle);
		why = &busy;
	}
	operation_end(op, why);
}

static void begin_delete(struct process *p, struct call *call)
{
	struct deletion *d = calloc(1, sizeof(*d));
	struct operation *op = NULL;
	struct err err;

	if (!d)
		err_set(&err, ERR_NOMEM, "no memory to delete %s", process_id(p));
	else
		op = operation_new(p->task, p, call, &err);
	if (!op) {
		free(d);
		call_fail(call, &err);
		return;
	}
	*d = (struct deletion){ .op = op, .bound.on_fire = on_bound };
	op->data = d;
	op->free_data = deletion_free;
	op->verb = ENGINE_DELETE;
	op->undo = delete_undo;
	op->bound_ns = ENGINE_BOUND_NS;
	p->deleting = true;
	stdio_end_unread(&p->io);
	if (!p->exited || stdio_drained(&p->io)) {
		drained(op);
		return;
	}
	p->io.on_drained = on_drained;
	timer_arm(&d->bound, p->task->context->loop, DRAIN_BOUND_NS);
}

/* A container that was created and never started: its init is ended, and Delete goes on after that.
 */
static void kill_first(struct process *p, struct call *call)
{
	struct err err;

	if (child_signal(&p->child, SIGKILL, &err) < 0 && err.code != ERR_NOT_FOUND) {
		call_fail(call, &err);
		return;
	}
	call_park(call, &p->deferred);
}

void task_delete(void *owner, struct call *call)
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
	if (state_check(p->state, OP_DELETE, &err) < 0)
		call_fail(call, &err);
	else if (p->state == PROCESS_CREATED && p->pid)
		kill_first(p, call);
	else if (p->exited && !p->published)
		call_park(call, &p->deferred); /* execs still end; process_settle() wakes us */
	else
		begin_delete(p, call);
}
