/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/exit.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/str.h"
#include "shim/task/crash_watch.h"
#include "shim/task/deferred.h"
#include "shim/task/late_check.h"
#include "shim/task/operation.h"
#include "shim/task/task_cgroup.h"
#include "shim/task/task_events.h"
#include "shim/task/tasks.h"

#define REST_BOUND_NS S_TO_NS(10)
/* The end of a container is not told before that of what is in flight on it. */
#define ENDING_BOUND_NS S_TO_NS(2)

/* An init whose Create was not answered, or is being undone, is nobody's yet. */
static bool starting(const struct process *p)
{
	if (p->state == PROCESS_CREATING)
		return true;
	return p->op && (p->op->verb == ENGINE_START || p->op->verb == ENGINE_EXEC ||
			 p->op->verb == ENGINE_RESTORE);
}

static bool exec_alive(const struct process *p)
{
	return !p->published && (p->pid || starting(p));
}

/* init's exit is the container's last one. */
static bool execs_alive(const struct task *t)
{
	list_for_each(node, &t->execs)
		if (exec_alive(list_entry(node, struct process, in_task)))
			return true;
	return false;
}

static void answer_waiters(struct process *p)
{
	Crossarch__WaitResponse reply = CROSSARCH__WAIT_RESPONSE__INIT;
	Crossarch__Timestamp at = CROSSARCH__TIMESTAMP__INIT;

	timestamp_set(&at, &p->exit.at);
	reply.exit_status = p->exit.code;
	reply.exited_at = &at;
	while (!list_empty(&p->waiters))
		call_reply(list_first(&p->waiters, struct call, parked), &reply.base);
}

/* NOLINTNEXTLINE(misc-no-recursion): from an exec to its init, no further */
void process_settle(struct process *p)
{
	bool is_init = !p->exec_id;

	if (!p->exited || p->published || p->late_check || starting(p) || !stdio_handed(&p->io))
		return;
	if (is_init && (p->task->kills_rest || execs_alive(p->task)))
		return;
	p->published = true;
	publish_exit(p);
	answer_waiters(p);
	deferred_run(p->task->context->deferred, &p->deferred);
	if (!is_init)
		process_settle(&p->task->init);
}

int process_adopt(struct process *p, const char *pid_file, struct err *err)
{
	struct buf CLEANUP_BUF text = BUF_INIT(32);
	uint64_t pid;

	if (file_read(AT_FDCWD, pid_file, &text, err) < 0 ||
	    str_u64(buf_str(&text), "pid", INT_MAX, &pid, err) < 0) {
		err->code = ERR_ENGINE; /* a missing file here is no missing container */
		return err_in(err, "%s reported success but no process", p->task->engine_path);
	}
	p->pid = (pid_t)pid;
	if (child_watch(&p->child, p->task->context->reaper, p->pid, process_on_exit, err) < 0) {
		p->pid = 0;
		return -1;
	}
	return 0;
}

static void on_all_killed(struct operation *op, uint32_t code)
{
	struct task *t = op->task;

	if (code)
		log_debug(operation_subject(op), "killing the rest of the container: exit code %u",
			  code);
	operation_succeed(op, NULL);
	t->kills_rest = false;
	process_settle(&t->init);
}

/*
 * Without a pid namespace of its own the container outlives its init unless somebody ends it. Who
 * is told of the end may count on there being nothing left, so that comes first, if it comes in
 * time.
 */
static void kill_rest(struct task *t)
{
	struct engine_request r = { .verb = ENGINE_KILL_ALL, .id = t->id, .signal = SIGKILL };
	struct err err;
	struct operation *op = operation_new(t, NULL, NULL, &err);

	if (op) {
		op->bound_ns = REST_BOUND_NS;
		t->kills_rest = operation_engine(op, &r, NULL, false, on_all_killed, &err) == 0;
	}
	if (t->kills_rest)
		return;
	log_write(LOG_ERROR, task_subject(t), LOG_FIELDS(.error = err.text),
		  "killing the rest of the container");
	if (op)
		operation_end(op, &err);
}

/* What may still be done to a container that has ended, or is on its way to that by itself. */
static bool outlives_init(const struct operation *op)
{
	return !op->call || op->verb == ENGINE_CREATE || op->verb == ENGINE_DELETE ||
	       op->verb == ENGINE_CHECKPOINT || op->verb == ENGINE_RESTORE;
}

/* Everything else notices by itself that there is no container any more, or hangs. */
static void limit_the_rest(struct task *t)
{
	list_for_each(node, &t->operations) {
		struct operation *op = list_entry(node, struct operation, in_task);

		if (!outlives_init(op))
			operation_limit(op, ENDING_BOUND_NS);
	}
}

static void on_handed(struct stdio *io)
{
	process_settle(container_of(io, struct process, io));
}

/* What init's execs still had to say is not worth as long a wait now. */
static void hurry_execs(struct task *t)
{
	list_for_each(node, &t->execs)
		stdio_hurry(&list_entry(node, struct process, in_task)->io);
}

void process_on_exit(struct child *child, const struct exit_status *status)
{
	struct process *p = container_of(child, struct process, child);

	p->exit = *status;
	if (!p->exec_id)
		crash_ended(p->task, &p->exit);
	p->exited = true;
	if (p->state != PROCESS_CREATING) /* until Create is answered nobody is to see it */
		p->state = PROCESS_STOPPED;
	log_debug(process_subject(p), "exited with %u", p->exit.code);
	p->io.on_handed = on_handed;
	stdio_process_exited(&p->io);
	if (!p->exec_id)
		hurry_execs(p->task);
	task_cgroup_process_exited(p->task);
	late_check_start(p, process_settle);
	if (!p->exec_id)
		limit_the_rest(p->task);
	if (!p->exec_id && !p->task->private_pid)
		kill_rest(p->task);
	process_settle(p);
}
