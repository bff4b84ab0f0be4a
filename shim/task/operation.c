/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/operation.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/str.h"
#include "shim/task/deferred.h"

/* For what was killed to be gone. */
#define KILLED_BOUND_NS S_TO_NS(2)
#define STATUS_KILLED (128 + SIGKILL)

bool operation_defer(struct process *p, struct call *call)
{
	if (!p->op)
		return false;
	call_park(call, &p->deferred);
	return true;
}

/* --- runs ----------------------------------------------------------------------------------- */

bool run_alive(const struct run *run)
{
	return list_linked(&run->in_operation);
}

void run_forget(struct run *run)
{
	child_forget(&run->child);
	list_del(&run->in_operation);
}

static void kill_runs(struct operation *op)
{
	struct err err;

	list_for_each(node, &op->runs)
		if (child_signal(&list_entry(node, struct run, in_operation)->child, SIGKILL,
				 &err) < 0)
			log_write(LOG_DEBUG, operation_subject(op), LOG_FIELDS(.error = err.text),
				  "kill");
}

static void forget_runs(struct operation *op)
{
	list_for_each_safe(node, &op->runs)
		run_forget(list_entry(node, struct run, in_operation));
}

/* True when the operation goes on with the end, or the word, of something that runs. */
static bool awaits(const struct operation *op)
{
	list_for_each(node, &op->runs)
		if (!list_entry(node, struct run, in_operation)->answered)
			return true;
	return false;
}

static void on_run_exit(struct child *c, const struct exit_status *status)
{
	struct run *run = container_of(c, struct run, child);

	list_del(&run->in_operation);
	if (!run->answered && !awaits(run->op))
		timer_disarm(&run->op->deadline);
	run->done(run, status->code);
}

/* One after the other: with each, all of it may be over. */
static void take_for_ended(struct operation *op)
{
	struct run *run = list_first(&op->runs, struct run, in_operation);

	ASSERT(run); /* otherwise nothing would have been waited for */
	log_error(operation_subject(op), "%s: process %d cannot be killed and is left to itself",
		  engine_verb_name(op->verb), (int)run->child.pid);
	run_forget(run);
	timer_arm(&op->deadline, op->task->context->loop, 0);
	if (!awaits(op))
		timer_disarm(&op->deadline);
	run->done(run, STATUS_KILLED);
}

static void on_deadline(struct timer *t)
{
	struct operation *op = container_of(t, struct operation, deadline);
	bool killed = op->timed_out;
	struct err err;

	op->timed_out = true;
	if (!awaits(op)) {
		err_set(&err, ERR_TIMEOUT, "%s did not finish before the deadline",
			engine_verb_name(op->verb));
		operation_fail(op, &err);
	} else if (killed) {
		take_for_ended(op);
	} else {
		log_error(operation_subject(op), "%s is killed: its deadline passed",
			  engine_verb_name(op->verb));
		kill_runs(op);
		timer_arm(&op->deadline, op->task->context->loop, KILLED_BOUND_NS);
	}
}

/* --- the operation -------------------------------------------------------------------------- */

struct operation *operation_new(struct task *task, struct process *process, struct call *call,
				struct err *err)
{
	struct operation *op = calloc(1, sizeof(*op));

	if (!op) {
		err_set(err, ERR_NOMEM, "no memory for the operation");
		return NULL;
	}
	ASSERT(!process || !process->op);
	op->task = task;
	op->call = call;
	op->process = process;
	if (call && call->traceparent)
		/* What a later version has at its end is left away. */
		(void)str_copy(op->traceparent, sizeof(op->traceparent), call->traceparent);
	op->error_fd = -1;
	op->gate = -1;
	list_init(&op->runs);
	op->deadline.on_fire = on_deadline;
	if (process)
		process->op = op;
	list_init(&op->in_task);
	list_add(&task->operations, &op->in_task);
	return op;
}

struct log_subject operation_subject(const struct operation *op)
{
	struct log_subject about =
		op->process ? process_subject(op->process) : task_subject(op->task);

	about.traceparent = op->traceparent;
	return about;
}

static void release_hold(struct operation *op)
{
	if (op->holds_reaper)
		reaper_release(op->task->context->reaper);
	op->holds_reaper = false;
}

/* The calls that waited for the process run again from the loop, when everything here is gone. */
static void operation_free(struct operation *op)
{
	struct process *process = op->process;
	const struct context *context = op->task->context;

	release_hold(op);
	forget_runs(op);
	timer_disarm(&op->deadline);
	list_del(&op->in_task);
	if (op->log)
		unlink(op->log);
	free(op->log);
	free(op->criu_log);
	fd_close(&op->error_fd);
	fd_close(&op->gate);
	if (op->free_data)
		op->free_data(op->data);
	free(op);
	timer_arm(context->trim_memory, context->loop, TRIM_AFTER_NS);
	if (!process)
		return;
	process->op = NULL;
	deferred_run(context->deferred, &process->deferred);
}

static void arm_deadline(struct operation *op)
{
	uint64_t now = now_ns(), at = op->call ? op->call->deadline_ns : 0;

	if (!at && op->bound_ns)
		at = now + op->bound_ns;
	if (op->limit_ns && (!at || op->limit_ns < at))
		at = op->limit_ns;
	if (at)
		timer_arm(&op->deadline, op->task->context->loop, at > now ? at - now : 0);
}

void operation_wait(struct operation *op)
{
	if ((op->call && op->call->deadline_ns) || op->limit_ns)
		arm_deadline(op);
}

void operation_limit(struct operation *op, uint64_t after_ns)
{
	uint64_t at = now_ns() + after_ns;

	if (op->timed_out || (op->limit_ns && op->limit_ns <= at))
		return;
	op->limit_ns = at;
	if (!timer_armed(&op->deadline) || op->deadline.at_ns > at)
		timer_arm(&op->deadline, op->task->context->loop, after_ns);
}

static void begin_run(struct operation *op, struct run *run,
		      void (*done)(struct run *, uint32_t code))
{
	run->op = op;
	run->done = done;
	run->answered = false;
	list_init(&run->in_operation);
	list_add(&op->runs, &run->in_operation);
}

static int run_program(struct operation *op, struct run *run, const struct spawn *what,
		       void (*done)(struct run *, uint32_t code), struct err *err)
{
	if (child_spawn(&run->child, op->task->context->reaper, what, on_run_exit, err) < 0)
		return -1;
	begin_run(op, run, done);
	arm_deadline(op);
	return 0;
}

/* One log per run: concurrent runs on one container must not read each other's errors. */
static int set_log(struct operation *op, struct err *err)
{
	const char *who = op->process && op->process->exec_id ? op->process->exec_id : "init";
	const char *verb = engine_verb_name(op->verb);
	char *path = NULL;
	int n;

	if (op->log)
		return 0;
	if (op->process)
		n = asprintf(&path, "%s/%s.%s.log", op->task->bundle, who, verb);
	else /* several may run side by side */
		n = asprintf(&path, "%s/%s.%u.log", op->task->bundle, verb,
			     op->task->n_concurrent++);
	if (n < 0)
		return err_set(err, ERR_NOMEM, "no memory for a path");
	op->log = path;
	unlink(op->log);
	return 0;
}

/*
 * What an engine says on its standard error only goes to the end of its log. Where it hands its
 * streams to the container they are not ours to redirect.
 */
static int open_words(const struct operation *op, enum engine_verb verb)
{
	if (verb == ENGINE_CREATE || verb == ENGINE_EXEC || verb == ENGINE_RESTORE)
		return -1;
	return open(op->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static void on_engine_ended(struct run *run, uint32_t code)
{
	struct operation *op = run->op;
	struct err why = op->why;

	if (op->failed) {
		op->failed = false;
		operation_fail(op, &why);
	} else {
		op->engine_done(op, code);
	}
}

int operation_engine(struct operation *op, const struct engine_request *r, const int fds[3],
		     bool hold, void (*done)(struct operation *, uint32_t code), struct err *err)
{
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	struct engine engine = task_engine(op->task);
	struct engine_request full = *r;
	CLEANUP_FD int words = -1;
	struct argv argv;
	struct spawn_fd map[4] = { { fds ? fds[0] : -1, 0 },
				   { fds ? fds[1] : -1, 1 },
				   { fds ? fds[2] : -1, 2 },
				   { op->gate, 3 } };
	struct spawn what = { .path = engine.path,
			      .nofile = &op->task->context->nofile,
			      .fds = map,
			      .n_fds = op->gate < 0 ? 3 : 4,
			      .new_group = true,
			      .die_with_parent = true,
			      .cwd = op->task->bundle };

	op->verb = r->verb;
	if (set_log(op, err) < 0)
		return -1;
	full.log = op->log;
	if (engine_argv(&engine, &full, &arena, &argv, err) < 0)
		return -1;
	what.argv = (char *const *)(uintptr_t)argv.v;
	words = open_words(op, r->verb);
	if (words >= 0)
		map[2].from = words;
	if (hold && !op->holds_reaper) {
		reaper_hold(op->task->context->reaper);
		op->holds_reaper = true;
	}
	op->engine_done = done;
	if (run_program(op, &op->engine, &what, on_engine_ended, err) < 0)
		return -1;
	if (fds)
		stdio_engine_begins(&op->process->io);
	return 0;
}

int operation_prepare(struct operation *op, struct run *run, const char *mode,
		      const struct spawn_fd *fds, size_t n_fds,
		      void (*done)(struct run *, uint32_t code), struct err *err)
{
	const char *path = op->task->context->prepare_path;
	char *const argv[] = { (char *)(uintptr_t)path, (char *)(uintptr_t)mode, NULL };
	struct spawn what = {
		.path = path,
		.program_fd = op->task->context->prepare_fd,
		.argv = argv,
		.fds = fds,
		.n_fds = n_fds,
		.new_group = true,
		.die_with_parent = true, /* after us comes `delete`, and it must be the last */
	};

	return run_program(op, run, &what, done, err);
}

int operation_cli(struct operation *op, struct run *run, const char *const *argv,
		  const struct spawn_fd *fds, size_t n_fds,
		  void (*done)(struct run *, uint32_t code), struct err *err)
{
	struct spawn what = { .path = op->task->context->cli_path,
			      .program_fd = op->task->context->cli_fd,
			      .argv = (char *const *)(uintptr_t)argv,
			      .fds = fds,
			      .n_fds = n_fds,
			      .new_group = true,
			      .die_with_parent = true };

	return run_program(op, run, &what, done, err);
}

static void on_step_ended(struct run *run, uint32_t code)
{
	run->op->step_done(run->op, code);
}

int operation_fork(struct operation *op, int (*fn)(void *arg), void *arg,
		   void (*done)(struct operation *, uint32_t code), struct err *err)
{
	op->step_done = done;
	if (child_fork(&op->step.child, op->task->context->reaper, fn, arg, on_run_exit, err) < 0)
		return -1;
	begin_run(op, &op->step, on_step_ended);
	arm_deadline(op);
	return 0;
}

void operation_succeed(struct operation *op, const ProtobufCMessage *reply)
{
	struct call *call = steal(op->call);

	if (call)
		call_reply(call, reply);
	operation_free(op);
}

void operation_end(struct operation *op, const struct err *why)
{
	struct call *call = steal(op->call);

	if (call)
		call_fail(call, why);
	operation_free(op);
}

void operation_fail(struct operation *op, const struct err *why)
{
	void (*undo)(struct operation *, const struct err *) = op->undo;

	fd_close(&op->gate);
	if (run_alive(&op->engine)) {
		op->why = *why;
		op->failed = true;
		return;
	}
	kill_runs(op);
	forget_runs(op);
	op->undo = NULL;
	if (undo)
		undo(op, why);
	else
		operation_end(op, why);
}

void operation_abort(struct operation *op)
{
	struct err err;

	op->timed_out = true;
	if (awaits(op)) {
		kill_runs(op); /* their end is the operation's */
		timer_arm(&op->deadline, op->task->context->loop, KILLED_BOUND_NS);
		return;
	}
	err_set(&err, ERR_TIMEOUT, "%s: the client is gone", engine_verb_name(op->verb));
	operation_fail(op, &err);
}

void operation_cancel(struct operation *op)
{
	struct err err;

	kill_runs(op);
	err_set(&err, ERR_NOT_FOUND, "container not created");
	operation_end(op, &err);
}
