/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/mman.h>

#include "runtime/base/fd.h"
#include "shim/task/methods.h"
#include "shim/task/operation.h"
#include "shim/task/task_events.h"
#include "shim/task/tasks.h"

/* Operations on a live container that are one run of the engine, and those that are none. */

static void on_paused(struct operation *op, uint32_t code)
{
	struct task *t = op->task;

	if (code || op->timed_out) {
		operation_engine_failed(op, code);
		return;
	}
	if (t->init.state == PROCESS_RUNNING)
		t->init.state = PROCESS_PAUSED;
	publish_paused(t);
	operation_succeed(op, NULL);
}

static void on_resumed(struct operation *op, uint32_t code)
{
	struct task *t = op->task;

	if (code || op->timed_out) {
		operation_engine_failed(op, code);
		return;
	}
	if (t->init.state == PROCESS_PAUSED)
		t->init.state = PROCESS_RUNNING;
	publish_resumed(t);
	operation_succeed(op, NULL);
}

static void on_updated(struct operation *op, uint32_t code)
{
	if (code || op->timed_out)
		operation_engine_failed(op, code);
	else
		operation_succeed(op, NULL);
}

/* False when the call was answered or parked; else the task is there and its init is free. */
static bool claim(const struct tasks *tasks, struct call *call, const char *id,
		  enum process_op what, struct task **ret)
{
	struct err err;

	if (tasks_find(tasks, id, ret, &err) == 0) {
		if (operation_defer(&(*ret)->init, call))
			return false;
		if (state_check((*ret)->init.state, what, &err) == 0)
			return true;
	}
	call_fail(call, &err);
	return false;
}

static void run_engine(struct task *t, struct call *call, enum engine_verb verb, int stdin_fd,
		       void (*done)(struct operation *, uint32_t code))
{
	struct engine_request r = { .verb = verb, .id = t->id };
	int fds[3] = { stdin_fd, -1, -1 };
	struct operation *op;
	struct err err;

	op = operation_new(t, &t->init, call, &err);
	if (!op)
		call_fail(call, &err);
	else if (operation_engine(op, &r, fds, false, done, &err) < 0)
		operation_fail(op, &err);
}

void task_pause(void *owner, struct call *call)
{
	const Crossarch__ProcessRequest *req = call->request;
	struct task *t;

	if (claim(owner, call, req->id, OP_PAUSE, &t))
		run_engine(t, call, ENGINE_PAUSE, -1, on_paused);
}

void task_resume(void *owner, struct call *call)
{
	const Crossarch__ProcessRequest *req = call->request;
	struct task *t;

	if (claim(owner, call, req->id, OP_RESUME, &t))
		run_engine(t, call, ENGINE_RESUME, -1, on_resumed);
}

/* The resources are the engine's to parse; they reach it through a memfd as its standard input. */
static int resources_fd(const Crossarch__UpdateTaskRequest *req, int *ret, struct err *err)
{
	CLEANUP_FD int fd = memfd_create("crossarch-resources", MFD_CLOEXEC);

	if (!req->resources || !req->resources->value.len)
		return err_set(err, ERR_INVALID, "update without resources");
	if (fd < 0 || fd_write_all(fd, req->resources->value.data, req->resources->value.len) < 0 ||
	    lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_IO, "hand the resources to the engine");
	*ret = fd_steal(&fd);
	return 0;
}

void task_update(void *owner, struct call *call)
{
	const Crossarch__UpdateTaskRequest *req = call->request;
	CLEANUP_FD int fd = -1;
	struct task *t;
	struct err err;

	if (!claim(owner, call, req->id, OP_UPDATE, &t))
		return;
	if (resources_fd(req, &fd, &err) < 0)
		call_fail(call, &err);
	else
		run_engine(t, call, ENGINE_UPDATE, fd, on_updated);
}

void task_resize(void *owner, struct call *call)
{
	const Crossarch__ResizePtyRequest *req = call->request;
	struct process *p;
	struct err err;

	if (tasks_find_process(owner, req->id, req->exec_id, &p, &err) < 0 ||
	    (p->terminal && state_check(p->state, OP_RESIZE, &err) < 0) ||
	    stdio_resize(&p->io, req->width, req->height, &err) < 0)
		call_fail(call, &err);
	else
		call_reply(call, NULL);
}

void task_close_io(void *owner, struct call *call)
{
	const Crossarch__CloseIORequest *req = call->request;
	struct process *p;
	struct err err;

	if (tasks_find_process(owner, req->id, req->exec_id, &p, &err) < 0) {
		call_fail(call, &err);
		return;
	}
	if (req->stdin)
		stdio_close_stdin(&p->io);
	call_reply(call, NULL);
}
