/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/task.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "shim/task/deferred.h"

static void process_init(struct process *p, struct task *task, enum process_state state)
{
	p->task = task;
	p->state = state;
	p->io.engine.fds[0] = p->io.engine.fds[1] = p->io.engine.fds[2] = -1;
	list_init(&p->in_task);
	list_init(&p->waiters);
	list_init(&p->deferred);
}

/* A parked Wait whose process disappears has nothing to report. */
static void fail_waiters(struct process *p)
{
	struct err err;

	err_set(&err, ERR_NOT_FOUND, "process does not exist %s", process_id(p));
	while (!list_empty(&p->waiters))
		call_fail(list_first(&p->waiters, struct call, parked), &err);
}

static void process_deinit(struct process *p)
{
	child_forget(&p->child);
	fail_waiters(p);
	deferred_run(p->task->context->deferred, &p->deferred);
	stdio_deinit(&p->io);
	list_del(&p->in_task);
	free(p->exec_id);
	free(p->in);
	free(p->out);
	free(p->err);
}

struct task *task_new(const struct context *context, const char *id, const char *bundle)
{
	struct task *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->context = context;
	t->termination = -1;
	list_init(&t->execs);
	list_init(&t->operations);
	list_init(&t->in_tasks);
	process_init(&t->init, t, PROCESS_CREATING);
	t->id = strdup(id);
	t->bundle = strdup(bundle);
	if (!t->id || !t->bundle)
		return task_free(t);
	t->unmounter.about = task_subject(t);
	return t;
}

struct task *task_free(struct task *t)
{
	if (!t)
		return NULL;
	ASSERT(list_empty(&t->operations) && !t->host);
	while (!list_empty(&t->execs))
		exec_free(list_first(&t->execs, struct process, in_task));
	unmounter_forget(&t->unmounter);
	list_del(&t->in_tasks);
	process_deinit(&t->init);
	free(t->id);
	free(t->bundle);
	free(t->engine_path);
	free(t->engine_root);
	free(t->checkpoint);
	free(t->criu_work_path);
	free(t->cgroup);
	free(t->private_pod);
	fd_close(&t->termination);
	free(t);
	return NULL;
}

struct process *exec_new(struct task *task, const char *exec_id)
{
	struct process *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	process_init(p, task, PROCESS_CREATED);
	list_add(&task->execs, &p->in_task);
	task->n_execs++;
	p->exec_id = strdup(exec_id);
	if (p->exec_id)
		return p;
	exec_free(p);
	return NULL;
}

void exec_free(struct process *p)
{
	ASSERT(!p->op);
	p->task->n_execs--;
	process_deinit(p);
	free(p);
}

int process_set_stdio(struct process *p, const char *in, const char *out, const char *err_path,
		      bool terminal, struct err *err)
{
	p->in = strdup(in);
	p->out = strdup(out);
	p->err = strdup(err_path);
	p->terminal = terminal;
	if (p->in && p->out && p->err)
		return 0;
	return err_set(err, ERR_NOMEM, "no memory for the stdio paths");
}

int process_open_stdio(struct process *p, void (*on_ready)(struct stdio *, const struct err *),
		       struct err *err)
{
	const struct context *context = p->task->context;
	char console[NAME_MAX + 1];
	struct stdio_spec spec = {
		.id = p->task->id,
		.ns = context->ns,
		.in = p->in,
		.out = p->out,
		.err = p->err,
		.tunnels = context->tunnels,
		.terminal = p->terminal,
		.dir = p->task->bundle,
		.console = console,
		.io_uid = p->task->io_uid,
		.io_gid = p->task->io_gid,
	};

	if (p->exec_id)
		(void)str_fmt(console, sizeof(console), "%s.console", p->exec_id);
	else
		(void)str_copy(console, sizeof(console), "console");
	p->io.on_ready = on_ready;
	return stdio_open(&p->io, context->loop, context->reaper, &spec, err);
}

const char *process_id(const struct process *p)
{
	return p->exec_id ? p->exec_id : p->task->id;
}

struct log_subject task_subject(const struct task *t)
{
	struct log_subject about = context_subject(t->context);

	about.id = t->id;
	return about;
}

struct log_subject process_subject(const struct process *p)
{
	struct log_subject about = task_subject(p->task);

	about.exec_id = p->exec_id;
	return about;
}

struct engine task_engine(const struct task *t)
{
	return (struct engine){ t->engine_path, t->engine_root, t->systemd_cgroup };
}
