/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/str.h"
#include "runtime/prepare/report.h"
#include "shim/host/cgroup_mover.h"
#include "shim/host/private_emulators.h"
#include "shim/task/creation.h"
#include "shim/task/engine_record.h"
#include "shim/task/exit.h"
#include "shim/task/methods.h"
#include "shim/task/operation.h"
#include "shim/task/options.h"
#include "shim/task/outcome.h"
#include "shim/task/pod_record.h"
#include "shim/task/task_cgroup.h"
#include "shim/task/task_events.h"
#include "shim/task/tasks.h"

/*
 * Create. First, where a pod asks for a platform, its choice. The check (prepare, fed by
 * image-platform) and the opening of stdio run side by side. When both are done, the engine runs,
 * while prepare still waits for what containerd says of the image. The engine makes a container and
 * starts nothing in it, so that answer comes early enough if Create is not answered before it.
 * Every failure goes through creation_undo().
 */
static const Crossarch__CreateTaskRequest *request_of(const struct operation *op)
{
	return op->call->request;
}

static void creation_free(void *data)
{
	struct creation *c = data;

	platform_choice_deinit(&c->choice);
	platform_check_deinit(&c->check);
	fd_close(&c->request);
	private_step_deinit(&c->private);
	free(c);
}

/* --- the engine ----------------------------------------------------------------------------- */

static void created(struct operation *op)
{
	Crossarch__PidResponse reply = CROSSARCH__PID_RESPONSE__INIT;
	const struct creation *c = op->data;
	struct task *task = op->task;

	task->init.state = task->init.exited ? PROCESS_STOPPED : PROCESS_CREATED;
	outcome_runs(task, c->platform);
	if (task->init.pid) /* there is none before a restore */
		task_cgroup_open(task);
	publish_create(task, request_of(op));
	reply.pid = (uint32_t)task->init.pid;
	op->undo = NULL;
	operation_succeed(op, &reply.base);
	/* If it is dead already, that is told after Create. */
	process_settle(&task->init);
}

static void on_private(struct operation *op)
{
	struct creation *c = op->data;
	struct err err;

	if (private_step_done(&c->private, &c->check, op, &err) == 0) {
		created(op);
		return;
	}
	operation_fail(op, &err);
}

/* Both the engine and the check have said all they have to say, whoever was last. */
static void finish_create(struct operation *op)
{
	struct creation *c = op->data;
	struct err err;

	if (!c->made || !c->confirmed)
		return;
	if (!c->private.report) {
		created(op);
	} else if (private_step_start(&c->private, &c->check, op, on_private, &err) < 0) {
		operation_fail(op, &err);
	}
}

static void on_engine_created(struct operation *op, uint32_t code)
{
	struct task *task = op->task;
	struct creation *c = op->data;
	char path[PATH_MAX];
	struct err err;

	if (code || op->timed_out) {
		operation_engine_failed(op, code);
		return;
	}
	if (!str_fmt(path, sizeof(path), "%s/init.pid", task->bundle)) {
		err_set(&err, ERR_INVALID, "bundle path too long");
		operation_fail(op, &err);
	} else if (process_adopt(&task->init, path, &err) < 0 ||
		   stdio_engine_done(&task->init.io, &err) < 0) {
		operation_fail(op, &err);
	} else {
		c->made = true;
		finish_create(op);
	}
}

static int run_engine(struct operation *op, struct err *err)
{
	struct task *task = op->task;
	struct creation *c = op->data;
	struct engine engine = task_engine(task);
	char pid_file[PATH_MAX];
	struct engine_request r = {
		.verb = ENGINE_CREATE,
		.id = task->id,
		.bundle = task->bundle,
		.pid_file = pid_file,
		.console = task->init.terminal ? task->init.io.engine.console_socket : NULL,
		.no_pivot = task->no_pivot,
		.no_new_keyring = task->no_new_keyring,
	};

	if (!str_fmt(pid_file, sizeof(pid_file), "%s/init.pid", task->bundle))
		return err_set(err, ERR_INVALID, "bundle path too long");
	if (engine_record_write(task->bundle, &engine, task->cgroup, err) < 0)
		return -1;
	pod_record_keep(task->context->home, task->bundle, operation_subject(op));
	c->engine_ran = true;
	return operation_engine(op, &r, task->init.io.engine.fds, true, on_engine_created, err);
}

/*
 * Restoring from a checkpoint happens in Start, and until then there is no process: clients of
 * containerd expect what the stock shim does (cmd/containerd-shim-runc-v2/process/init.go).
 */
static void create_next_step(struct operation *op)
{
	struct creation *c = op->data;
	struct err err;

	if (!c->checked)
		return;
	if (c->io_failed.code != ERR_NONE) {
		operation_fail(op, &c->io_failed);
	} else if (!stdio_is_ready(&op->task->init.io)) {
		operation_wait(op);
	} else if (op->task->checkpoint) {
		c->made = true;
		finish_create(op);
	} else if (run_engine(op, &err) < 0) {
		operation_fail(op, &err);
	}
}

static void on_io_ready(struct stdio *io, const struct err *failed)
{
	struct process *p = container_of(io, struct process, io);
	struct creation *c = p->op->data;

	if (failed)
		c->io_failed = *failed;
	create_next_step(p->op);
}

/* --- the check ------------------------------------------------------------------------------ */

/*
 * The engine reads config.json; what containerd wrote stays beside it for a person to compare: the
 * choice of a platform may have kept that already. There is a config.json at every moment, and when
 * this fails it is what it was.
 */
static int use_patched(struct task *t, struct err *err)
{
	char from[PATH_MAX], to[PATH_MAX], old[PATH_MAX];
	bool kept;

	if (!str_fmt(from, sizeof(from), "%s/config.json.crossarch", t->bundle) ||
	    !str_fmt(to, sizeof(to), "%s/config.json", t->bundle) ||
	    !str_fmt(old, sizeof(old), "%s/config.json.original", t->bundle))
		return err_set(err, ERR_INVALID, "bundle path too long");
	kept = link(to, old) == 0;
	if (!kept && errno != EEXIST)
		return err_sys(err, ERR_IO, "keep %s", to);
	if (rename(from, to) == 0)
		return 0;
	err_sys(err, ERR_IO, "put %s in place", from);
	if (kept)
		unlink(old);
	return -1;
}

static void on_cpu_checked(struct run *run, uint32_t code)
{
	struct operation *op = run->op;
	struct creation *c = op->data;
	struct err err;

	if (platform_check_cpu_answer(&c->check, op, code, &err) < 0) {
		operation_fail(op, &err);
		return;
	}
	c->checked = true;
	create_next_step(op);
}

/* The first report: with what it says the engine can begin. */
static void take_first(struct operation *op, struct report *r_take)
{
	struct creation *c = op->data;
	struct err err;
	bool ask;
	int rc;

	c->reported = true;
	op->task->emulated = r_take->verdict == VERDICT_EMULATE;
	str_copy(c->platform, sizeof(c->platform), r_take->guest);
	if ((r_take->flags & REPORT_PATCHED) && use_patched(op->task, &err) < 0) {
		free(r_take);
		operation_fail(op, &err);
		return;
	}
	ask = platform_check_has_cpu(op, r_take);
	rc = ask ? platform_check_cpu(&c->check, op, r_take, on_cpu_checked, &err) : 0;
	private_step_take(&c->private, r_take);
	if (rc < 0) {
		operation_fail(op, &err);
	} else if (!ask) {
		c->checked = true;
		create_next_step(op);
	}
}

static void on_checked(struct operation *op)
{
	struct creation *c = op->data;
	struct err err;
	struct report *r = platform_check_report(&c->check, op, &err);

	if (!r) {
		operation_fail(op, &err);
		return;
	}
	c->confirmed = !(r->flags & REPORT_MORE);
	if (!c->reported) {
		take_first(op, r);
	} else {
		free(r);
		finish_create(op);
	}
}

static int start_check(struct creation *c, struct operation *op, bool declared, struct err *err)
{
	CLEANUP_FD int request = fd_steal(&c->request);

	return platform_check_create(&c->check, op, request, declared, on_checked, err);
}

static void on_chosen(struct operation *op)
{
	struct creation *c = op->data;
	struct err err;

	if (platform_choice_take(&c->choice, op, &err) < 0 ||
	    start_check(c, op, c->choice.declared, &err) < 0)
		operation_fail(op, &err);
}

/* --- the request ---------------------------------------------------------------------------- */

static int fill_mounts(const Crossarch__CreateTaskRequest *req, struct arena *arena,
		       struct prepare_request *r, struct err *err)
{
	struct prepare_mount *mounts = arena_alloc(arena, req->n_rootfs * sizeof(*mounts) + 1);

	if (!mounts)
		return err_set(err, ERR_NOMEM, "no memory for %zu mounts", req->n_rootfs);
	for (size_t i = 0; i < req->n_rootfs; i++) {
		const Crossarch__Mount *m = req->rootfs[i];
		const char **options = arena_alloc(arena, (m->n_options + 1) * sizeof(char *));

		if (!options)
			return err_set(err, ERR_NOMEM, "no memory for mount options");
		for (size_t k = 0; k < m->n_options; k++)
			options[k] = m->options[k];
		mounts[i] = (struct prepare_mount){ m->type, m->source, m->target, options };
	}
	r->mounts = mounts;
	r->n_mounts = req->n_rootfs;
	return 0;
}

static int check_request(const struct tasks *tasks, const Crossarch__CreateTaskRequest *req,
			 struct err *err)
{
	if (!str_is_identifier(req->id))
		return err_set(err, ERR_INVALID,
			       "container id \"%.100s\" is not valid: letters, digits and single "
			       ". _ - between them, at most 76",
			       req->id);
	if (req->bundle[0] != '/')
		return err_set(err, ERR_INVALID, "bundle \"%.200s\" is not an absolute path",
			       req->bundle);
	return tasks_check_new(tasks, req->id, err);
}

static int start_create(struct operation *op, struct creation *c, struct call *call,
			struct err *err)
{
	const Crossarch__CreateTaskRequest *req = call->request;
	const struct context *context = op->task->context;
	struct prepare_request r = {
		.bundle = req->bundle,
		.config_path = context->config_path,
		.config_body = context->config_body,
	};

	if (options_read(req->options, &call->arena, &r, err) < 0 ||
	    fill_mounts(req, &call->arena, &r, err) < 0)
		return -1;
	op->task->io_uid = (uid_t)r.io_uid;
	op->task->io_gid = (gid_t)r.io_gid;
	if (process_open_stdio(&op->task->init, on_io_ready, err) < 0)
		return -1;
	if (prepare_run_request(op, &r, &c->request, err) < 0)
		return -1;
	if (platform_choice_mentioned(op, &r))
		return platform_choice_start(&c->choice, op, c->request, on_chosen, err);
	return start_check(c, op, false, err);
}

static struct task *new_task(struct tasks *tasks, const Crossarch__CreateTaskRequest *req,
			     struct err *err)
{
	struct task *t = task_new(tasks->context, req->id, req->bundle);

	if (!t) {
		err_set(err, ERR_NOMEM, "no memory for container %s", req->id);
		return NULL;
	}
	if (*req->checkpoint && !(t->checkpoint = strdup(req->checkpoint))) {
		err_set(err, ERR_NOMEM, "no memory for container %s", req->id);
		return task_free(t);
	}
	if (process_set_stdio(&t->init, req->stdin, req->stdout, req->stderr, req->terminal, err) <
	    0)
		return task_free(t);
	tasks_add(tasks, t);
	return t;
}

/*
 * containerd gave up on this container and is cleaning up after it: whatever still hangs here would
 * only be in the way of the next one of this name.
 */
static void on_creator_gone(struct call *call)
{
	struct operation *op = call->keeper;

	log_warning(operation_subject(op), "the client of Create is gone: giving up");
	operation_abort(op);
}

void task_create(void *owner, struct call *call)
{
	const Crossarch__CreateTaskRequest *req = call->request;
	struct tasks *tasks = owner;
	struct creation *c = NULL;
	struct operation *op = NULL;
	struct task *task = NULL;
	struct err err;

	if (check_request(tasks, req, &err) < 0 || !(task = new_task(tasks, req, &err)) ||
	    !(op = operation_new(task, &task->init, call, &err))) {
		task_free(task);
		call_fail(call, &err);
		return;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		err_set(&err, ERR_NOMEM, "no memory for container %s", req->id);
		operation_end(op, &err);
		task_free(task);
		return;
	}
	c->tasks = tasks;
	c->request = -1;
	platform_choice_init(&c->choice);
	platform_check_init(&c->check);
	op->data = c;
	op->free_data = creation_free;
	op->undo = creation_undo;
	op->verb = ENGINE_CREATE;
	call->keeper = op;
	call->on_peer_gone = on_creator_gone;
	if (start_create(op, c, call, &err) < 0) {
		operation_fail(op, &err);
		return;
	}
	cgroup_mover_expect(tasks->context->cgroup_mover, tasks->context->reaper);
}
