/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/str.h"
#include "shim/host/cgroup_mover.h"
#include "shim/task/exec_files.h"
#include "shim/task/exec_refusal.h"
#include "shim/task/exit.h"
#include "shim/task/methods.h"
#include "shim/task/operation.h"
#include "shim/task/platform_check.h"
#include "shim/task/private_step.h"
#include "shim/task/task_events.h"
#include "shim/task/tasks.h"

/* Exec registers, Start runs. */

/* --- Exec ----------------------------------------------------------------------------------- */

static int check_exec_request(const struct task *t, const Crossarch__ExecProcessRequest *req,
			      struct err *err)
{
	if (!str_is_identifier(req->exec_id))
		return err_set(err, ERR_INVALID, "exec id \"%.100s\" is not valid", req->exec_id);
	list_for_each(node, &t->execs)
		if (str_eq(list_entry(node, struct process, in_task)->exec_id, req->exec_id))
			return err_set(err, ERR_EXISTS, "id %s: already exists", req->exec_id);
	if (state_check(t->init.state, OP_EXEC, err) < 0)
		return -1;
	if (t->init.deleting)
		return err_set(err, ERR_PRECONDITION, "cannot exec in a deleted process");
	if (t->n_execs >= EXECS_MAX)
		return err_set(err, ERR_LIMIT, "container %s already has %d execs", t->id,
			       EXECS_MAX);
	if (!req->spec || !req->spec->value.len)
		return err_set(err, ERR_INVALID, "exec %s has no process", req->exec_id);
	if (memchr(req->spec->value.data, 0, req->spec->value.len))
		return err_set(err, ERR_INVALID, "the process of exec %s is not JSON: NUL byte",
			       req->exec_id);
	return 0;
}

static struct process *register_exec(struct task *t, const Crossarch__ExecProcessRequest *req,
				     struct err *err)
{
	struct process *p = exec_new(t, req->exec_id);

	if (!p) {
		err_set(err, ERR_NOMEM, "no memory for exec %s", req->exec_id);
		return NULL;
	}
	if (process_set_stdio(p, req->stdin, req->stdout, req->stderr, req->terminal, err) < 0 ||
	    exec_write_process(p, req->spec->value.data, req->spec->value.len, err) < 0) {
		exec_free(p);
		return NULL;
	}
	return p;
}

void task_exec(void *owner, struct call *call)
{
	const Crossarch__ExecProcessRequest *req = call->request;
	struct process *p;
	struct task *t;
	struct err err;

	if (tasks_find(owner, req->id, &t, &err) < 0 || check_exec_request(t, req, &err) < 0 ||
	    !(p = register_exec(t, req, &err))) {
		call_fail(call, &err);
		return;
	}
	publish_exec_added(p);
	call_reply(call, NULL);
	/* Start follows at once. */
	cgroup_mover_expect(t->context->cgroup_mover, t->context->reaper);
}

/* --- Start ---------------------------------------------------------------------------------- */

/*
 * The check and the engine run side by side: what the engine is to run comes to it through a pipe,
 * the gate, and nothing is written there before the check has said yes. After a refusal the engine,
 * which has touched nothing yet, is killed: with the pipe closed it would end by itself, but not
 * without words of its own on the exec's standard error.
 */
struct exec_run {
	struct platform_check check;
	struct private_step private;
	int gate; /* write end, -1 without one; owned */
	bool gated, checked, engine_ran, engine_ended;
	uint32_t engine_code;
	char *refusal; /* the line, when the check says no; owned */
};

/* What fits into a pipe for sure, with room for the emulator's settings that prepare may add. */
#define GATE_MAX (48u << 10)
#define GATE_PATH "/proc/self/fd/3"

static void exec_run_free(void *data)
{
	struct exec_run *run = data;

	fd_close(&run->gate);
	platform_check_deinit(&run->check);
	private_step_deinit(&run->private);
	free(run->refusal);
	free(run);
}

/*
 * The exec stays CREATED and may be started again or deleted; whoever waits for it learns at once
 * that nothing ran (status 0, zero time, as the Go shim answers).
 */
static void exec_undo(struct operation *op, const struct err *why)
{
	Crossarch__WaitResponse nothing = CROSSARCH__WAIT_RESPONSE__INIT;
	struct process *p = op->process;
	struct task *t = op->task;

	stdio_give_up(&p->io);
	stdio_deinit(&p->io);
	while (!p->exited && !list_empty(&p->waiters))
		call_reply(list_first(&p->waiters, struct call, parked), &nothing.base);
	operation_end(op, why);
	process_settle(p);
	process_settle(&t->init);
}

static void give_up(struct operation *op, const struct err *why)
{
	struct exec_run *run = op->data;

	fd_close(&run->gate);
	operation_fail(op, why);
}

/* There is a process, the program's or the one that says why there is none. */
static void exec_started(struct operation *op)
{
	Crossarch__PidResponse reply = CROSSARCH__PID_RESPONSE__INIT;
	struct process *p = op->process;

	p->state = PROCESS_RUNNING;
	publish_start(p);
	log_debug(operation_subject(op), "started, process %d", (int)p->pid);
	reply.pid = (uint32_t)p->pid;
	operation_succeed(op, &reply.base);
	process_settle(p);
}

/* A process that nobody will hear of must not go on, nor be watched: its Start may come again. */
static void drop_process(struct process *p)
{
	struct err err;

	if (child_signal(&p->child, SIGKILL, &err) < 0)
		log_write(LOG_DEBUG, process_subject(p), LOG_FIELDS(.error = err.text), "kill");
	child_forget(&p->child);
	p->pid = 0;
}

static void take_process(struct operation *op)
{
	struct process *p = op->process;
	char path[PATH_MAX];
	struct err err;

	if (exec_path(p, EXEC_PID, path, sizeof(path), &err) < 0 ||
	    process_adopt(p, path, &err) < 0) {
		operation_fail(op, &err);
	} else if (stdio_engine_done(&p->io, &err) < 0) {
		drop_process(p);
		operation_fail(op, &err);
	} else {
		exec_started(op);
	}
}

static void end_engine(struct operation *op)
{
	struct err err;

	if (child_signal(&op->engine.child, SIGKILL, &err) < 0)
		log_write(LOG_DEBUG, operation_subject(op), LOG_FIELDS(.error = err.text), "kill");
}

/* The engine first: only one may use the streams. */
static void answer_refusal(struct operation *op)
{
	struct exec_run *run = op->data;
	struct err err;

	if (run_alive(&op->engine))
		end_engine(op);
	else if (!stdio_is_ready(&op->process->io))
		operation_wait(op);
	else if (exec_refusal_run(op->process, run->refusal, &err) < 0)
		operation_fail(op, &err);
	else
		exec_started(op);
}

/* What the check has to say goes before an error of the engine. */
static void finish_exec(struct operation *op)
{
	struct exec_run *run = op->data;

	if (run->refusal && !op->timed_out) {
		answer_refusal(op);
		return;
	}
	if (!run->engine_ended || !(run->checked || op->timed_out))
		return;
	if (run->engine_code || op->timed_out)
		operation_engine_failed(op, run->engine_code);
	else
		take_process(op);
}

/* The check did not say yes. Where it says no, that is what the exec says; else the call fails. */
static void not_checked(struct operation *op, const struct err *why)
{
	struct exec_run *run = op->data;

	if (why->code == ERR_PRECONDITION)
		run->refusal = strdup(why->text);
	if (run->refusal)
		finish_exec(op);
	else
		give_up(op, why);
}

static void on_engine_ended(struct operation *op, uint32_t code)
{
	struct exec_run *run = op->data;

	run->engine_ended = true;
	run->engine_code = code;
	finish_exec(op);
}

/* --- the gate ------------------------------------------------------------------------------- */

static int make_gate(struct operation *op, struct exec_run *run, size_t size, struct err *err)
{
	run->gated = size <= GATE_MAX;
	return run->gated ? fd_pipe(&op->gate, &run->gate, O_NONBLOCK, err) : 0;
}

/*
 * The engine opens its end anew, by its name below /proc, and so waits there for what we write, or
 * for the end of file if we write nothing. One that is gone by now has a reason, which is told when
 * its end is: not that we cannot write.
 */
static int open_gate(struct operation *op, struct exec_run *run, struct err *err)
{
	struct buf CLEANUP_BUF json = BUF_INIT(PROCESS_JSON_MAX);

	if (exec_read_process(op->process, &json, err) < 0)
		return -1;
	if (fd_write_all(run->gate, json.data, json.len) < 0 && errno != EPIPE)
		return err_sys(err, ERR_IO, "hand exec %s to the engine", op->process->exec_id);
	fd_close(&run->gate);
	return 0;
}

static int run_engine(struct operation *op, struct err *err)
{
	struct exec_run *run = op->data;
	struct process *p = op->process;
	char process[PATH_MAX], pid[PATH_MAX];
	struct engine_request r = {
		.verb = ENGINE_EXEC,
		.id = op->task->id,
		.process = run->gated ? GATE_PATH : process,
		.pid_file = pid,
		.console = p->terminal ? p->io.engine.console_socket : NULL,
	};

	if (exec_path(p, EXEC_PROCESS, process, sizeof(process), err) < 0 ||
	    exec_path(p, EXEC_PID, pid, sizeof(pid), err) < 0 ||
	    operation_engine(op, &r, p->io.engine.fds, true, on_engine_ended, err) < 0)
		return -1;
	run->engine_ran = true;
	fd_close(&op->gate);
	return 0;
}

/* --- steps ---------------------------------------------------------------------------------- */

static void exec_next_step(struct operation *op)
{
	struct exec_run *run = op->data;
	struct err err;

	if (run->refusal) {
		finish_exec(op);
		return;
	}
	if (!stdio_is_ready(&op->process->io)) {
		operation_wait(op);
	} else if (!run->engine_ran && (run->gated || run->checked) && run_engine(op, &err) < 0) {
		give_up(op, &err);
		return;
	}
	if (run->checked && run->gate >= 0 && open_gate(op, run, &err) < 0)
		give_up(op, &err);
	else
		finish_exec(op);
}

static void on_io_ready(struct stdio *io, const struct err *failed)
{
	struct process *p = container_of(io, struct process, io);

	if (failed)
		give_up(p->op, failed);
	else
		exec_next_step(p->op);
}

static void checked(struct operation *op)
{
	struct exec_run *run = op->data;

	run->checked = true;
	exec_next_step(op);
}

static void on_private(struct operation *op)
{
	struct exec_run *run = op->data;
	struct err err;

	if (private_step_done(&run->private, &run->check, op, &err) < 0)
		not_checked(op, &err);
	else
		checked(op);
}

static void start_private(struct operation *op)
{
	struct exec_run *run = op->data;
	struct err err;

	if (!run->private.report)
		checked(op);
	else if (private_step_start(&run->private, &run->check, op, on_private, &err) < 0)
		give_up(op, &err);
}

static void on_cpu_checked(struct run *models, uint32_t code)
{
	struct operation *op = models->op;
	struct exec_run *run = op->data;
	struct err err;

	if (platform_check_cpu_answer(&run->check, op, code, &err) < 0)
		not_checked(op, &err);
	else
		start_private(op);
}

static void on_checked(struct operation *op)
{
	struct exec_run *run = op->data;
	struct report *r;
	struct err err;
	bool ask;
	int rc;

	r = platform_check_report(&run->check, op, &err);
	if (!r) {
		not_checked(op, &err);
		return;
	}
	ask = platform_check_has_cpu(op, r);
	rc = (r->flags & REPORT_PATCHED) ? exec_use_patched(op->process, &err) : 0;
	if (rc == 0 && ask)
		rc = platform_check_cpu(&run->check, op, r, on_cpu_checked, &err);
	private_step_take(&run->private, r);
	if (rc < 0)
		give_up(op, &err);
	else if (!ask)
		start_private(op);
}

static int start_check(struct operation *op, struct exec_run *run, struct err *err)
{
	struct buf CLEANUP_BUF json = BUF_INIT(PROCESS_JSON_MAX);
	const struct context *context = op->task->context;
	struct process *p = op->process;
	struct prepare_request r = {
		.bundle = op->task->bundle,
		.config_path = context->config_path,
		.config_body = context->config_body,
		.init_pid = (uint64_t)op->task->init.pid,
		.flags = p->terminal ? REQUEST_TERMINAL : 0,
	};

	if (exec_read_process(p, &json, err) < 0 || make_gate(op, run, json.len, err) < 0)
		return -1;
	r.process = buf_str(&json);
	if (process_open_stdio(p, on_io_ready, err) < 0)
		return -1;
	/* The engine first: it has the longer way to go. */
	if (run->gated && stdio_is_ready(&p->io) && run_engine(op, err) < 0)
		return -1;
	return platform_check_exec(&run->check, op, &r, on_checked, err);
}

static int check_container(const struct task *t, struct err *err)
{
	if (t->init.exited || t->init.state == PROCESS_STOPPED || !t->init.pid)
		return err_set(err, ERR_PRECONDITION, "container %s init process is not running",
			       t->id);
	return 0;
}

void exec_start(struct process *p, struct call *call)
{
	struct exec_run *run = NULL;
	struct operation *op = NULL;
	struct err err;

	if (check_container(p->task, &err) < 0 || !(op = operation_new(p->task, p, call, &err))) {
		call_fail(call, &err);
		return;
	}
	op->verb = ENGINE_EXEC;
	op->undo = exec_undo;
	run = calloc(1, sizeof(*run));
	if (!run) {
		err_set(&err, ERR_NOMEM, "no memory for exec %s", p->exec_id);
		operation_fail(op, &err);
		return;
	}
	platform_check_init(&run->check);
	run->gate = -1;
	op->data = run;
	op->free_data = exec_run_free;
	if (start_check(op, run, &err) < 0)
		give_up(op, &err);
}
