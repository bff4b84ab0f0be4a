/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/platform_check.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/str.h"
#include "shim/task/decided.h"
#include "shim/task/outcome.h"

void platform_check_init(struct platform_check *c)
{
	*c = (struct platform_check){ .models_fd = -1 };
	prepare_run_init(&c->prepare);
	prepare_run_init(&c->edit);
}

static void end_platform(struct platform_check *c)
{
	struct err err;

	if (c->platform.pidfd.loop && child_signal(&c->platform, SIGKILL, &err) < 0)
		log_write(LOG_DEBUG, LOG_NOTHING, LOG_FIELDS(.error = err.text), "image-platform");
	child_forget(&c->platform);
}

void platform_check_stop(struct platform_check *c)
{
	end_platform(c);
	prepare_run_stop(&c->prepare);
	prepare_run_stop(&c->edit);
}

void platform_check_deinit(struct platform_check *c)
{
	platform_check_stop(c);
	prepare_run_deinit(&c->prepare);
	prepare_run_deinit(&c->edit);
	fd_close(&c->models_fd);
	free(c->answer);
}

static void on_platform_exit(struct child *c, const struct exit_status *status)
{
	(void)c;
	(void)status;
}

static bool has_platform(const struct context *context)
{
	return *context->cli_path && *context->grpc_address;
}

/* Its answer is evidence only: that it cannot be started is no reason to fail. */
static void start_platform(struct platform_check *c, const struct operation *op, int answer)
{
	const struct context *context = op->task->context;
	const char *const argv[] = { context->cli_path, "image-platform",      "--machine",
				     "--address",	context->grpc_address, "--namespace",
				     context->ns,	op->task->id,	       NULL };
	const struct spawn_fd map = { answer, 1 };
	struct spawn what = { .path = context->cli_path,
			      .argv = (char *const *)(uintptr_t)argv,
			      .program_fd = context->cli_fd,
			      .fds = &map,
			      .n_fds = 1,
			      .new_group = true };
	struct err err;

	if (child_spawn(&c->platform, context->reaper, &what, on_platform_exit, &err) < 0)
		log_write(LOG_WARNING, operation_subject(op), LOG_FIELDS(.error = err.text),
			  "the image's platform stays unknown");
}

/* --- the edit ------------------------------------------------------------------------------- */

/* It has to say nothing but what it found and whether there is a file now. */
static int take_edit(struct platform_check *c, struct err *err)
{
	CLEANUP_FREE struct report *r = malloc(sizeof(*r));

	if (!r)
		return err_set(err, ERR_NOMEM, "no memory for the report");
	if (prepare_run_take(&c->edit, r, err) < 0)
		return -1;
	if (r->verdict == VERDICT_NONE) {
		*err = r->err;
		return -1;
	}
	if (r->verdict == VERDICT_REFUSE) {
		free(c->answer);
		c->answer = steal(r);
		return 0;
	}
	c->answer->flags |= r->flags & REPORT_PATCHED;
	memcpy(c->answer->cpu, r->cpu, sizeof(r->cpu));
	memcpy(c->cpu_arch, r->guest, sizeof(r->guest));
	return 0;
}

static void on_edited(struct prepare_run *q)
{
	struct platform_check *c = container_of(q, struct platform_check, edit);

	if (take_edit(c, &c->why) < 0) {
		free(c->answer);
		c->answer = NULL;
	}
	prepare_run_stop(q);
	q->run.answered = true;
	c->done(q->run.op);
}

static int start_edit(struct platform_check *c, struct operation *op, struct err *err)
{
	const struct report *r = c->answer;
	const struct process *p = op->process;
	CLEANUP_FD int request = -1;
	const struct prepare_request q = {
		.bundle = op->task->bundle,
		/* emulated, and of no row: beyond all rows */
		.guest_row = r->verdict == VERDICT_EMULATE ? (uint64_t)r->guest_row + 1 : 0,
		.pod_files = p && p->exec_id ? NULL : op->task->context->pod_files,
		.flags = (p && p->terminal ? REQUEST_TERMINAL : 0) |
			 (op->task->context->host_ipc ? REQUEST_HOST_IPC : 0),
	};

	c->edited = true;
	if (prepare_run_request(op, &q, &request, err) < 0)
		return -1;
	return prepare_run_start(&c->edit, op, "edit", request, -1, on_edited, err);
}

/* --- what prepare says ---------------------------------------------------------------------- */

static int no_sense(struct err *err, const char *what)
{
	return err_set(err, ERR_INVALID,
		       "crossarch-prepare %s: install shim and prepare from one build", what);
}

static int take_decided(struct platform_check *c, struct operation *op, const struct report *r,
			struct err *err)
{
	const struct decided *d = &r->decided;

	c->decides = false;
	if (!op->task->context->debug)
		log_set_level((enum log_level)d->log_level);
	return decided_take(op->task, d, &c->prepare.passed, err);
}

/* Of what runs natively only the process of an exec: its terminal. */
static bool may_edit(const struct platform_check *c, const struct operation *op,
		     const struct report *r)
{
	if (c->edited || r->verdict == VERDICT_EMULATE)
		return !c->edited;
	return r->verdict == VERDICT_NATIVE && op->process && op->process->exec_id;
}

/* A container of a pod without a pause container, whatever runs in it. */
static bool needs_pod_files(const struct platform_check *c, const struct operation *op,
			    const struct report *r)
{
	return !c->edited && *op->task->context->pod_files &&
	       !(op->process && op->process->exec_id) &&
	       (r->verdict == VERDICT_NATIVE || r->verdict == VERDICT_EMULATE);
}

/*
 * From here on @r comes from somebody who has looked at the image. What it does not have to say is
 * taken out.
 */
static int take_answer(struct platform_check *c, struct operation *op, struct report *r,
		       struct err *err)
{
	bool emulated = r->verdict == VERDICT_EMULATE;

	if ((r->flags & REPORT_MORE) && !c->two)
		return no_sense(err, "announces a report that cannot follow");
	c->two = false;
	memset(&r->decided, 0, sizeof(r->decided));
	r->cpu[0] = '\0';
	r->flags &= ~(uint32_t)REPORT_PATCHED;
	if (!emulated || !op->task->private_pod)
		r->flags &= ~(uint32_t)REPORT_PRIVATE;
	if (!may_edit(c, op, r))
		r->flags &= ~(uint32_t)REPORT_EDIT;
	if (needs_pod_files(c, op, r))
		r->flags |= REPORT_EDIT;
	if (!(r->flags & REPORT_EDIT))
		c->edited = true; /* with this answer the engine begins: later it is too late */
	return 0;
}

/* One record. Leaves it in c->answer unless it was what is decided. */
static int take_record(struct platform_check *c, struct operation *op, struct err *err)
{
	CLEANUP_FREE struct report *r = malloc(sizeof(*r));

	free(c->answer);
	c->answer = NULL;
	if (!r)
		return err_set(err, ERR_NOMEM, "no memory for the report");
	if (prepare_run_take(&c->prepare, r, err) < 0)
		return -1;
	if (r->flags & REPORT_DECIDED)
		return c->decides ? take_decided(c, op, r, err)
				  : no_sense(err, "decides a second time");
	if (c->decides && (r->verdict == VERDICT_NATIVE || r->verdict == VERDICT_EMULATE))
		return no_sense(err, "answers before it has decided");
	if (take_answer(c, op, r, err) < 0)
		return -1;
	c->answer = steal(r);
	return 0;
}

static void on_record(struct prepare_run *q)
{
	struct platform_check *c = container_of(q, struct platform_check, prepare);
	struct operation *op = q->run.op;

	c->why.code = ERR_NONE;
	if (take_record(c, op, &c->why) < 0) {
		c->done(op);
	} else if (!c->answer) {
		prepare_run_next(q);
	} else if (!(c->answer->flags & REPORT_EDIT)) {
		c->done(op);
	} else if (start_edit(c, op, &c->why) < 0) {
		free(c->answer);
		c->answer = NULL;
		c->done(op);
	}
}

/* --- prepare -------------------------------------------------------------------------------- */

static int start_prepare(struct platform_check *c, struct operation *op, const char *mode,
			 int request, int platform, void (*done)(struct operation *),
			 struct err *err)
{
	c->decides = c->two = str_eq(mode, "create");
	c->edited = !c->decides && !str_eq(mode, "exec");
	c->done = done;
	return prepare_run_start(&c->prepare, op, mode, request, platform, on_record, err);
}

/* prepare first: it has work to do before it needs the answer. */
int platform_check_create(struct platform_check *c, struct operation *op, int request,
			  bool declared, void (*done)(struct operation *), struct err *err)
{
	CLEANUP_FD int question = -1;
	CLEANUP_FD int answer = -1;

	if (!declared && has_platform(op->task->context) && fd_pipe(&question, &answer, 0, err) < 0)
		return -1;
	if (start_prepare(c, op, "create", request, question, done, err) < 0)
		return -1;
	if (answer >= 0)
		start_platform(c, op, answer);
	return 0;
}

static int start_mode(struct platform_check *c, struct operation *op, const char *mode,
		      const struct prepare_request *r, void (*done)(struct operation *),
		      struct err *err)
{
	CLEANUP_FD int request = -1;

	if (prepare_run_request(op, r, &request, err) < 0)
		return -1;
	return start_prepare(c, op, mode, request, -1, done, err);
}

int platform_check_exec(struct platform_check *c, struct operation *op,
			const struct prepare_request *r, void (*done)(struct operation *),
			struct err *err)
{
	return start_mode(c, op, "exec", r, done, err);
}

int platform_check_private(struct platform_check *c, struct operation *op,
			   const struct prepare_request *r, void (*done)(struct operation *),
			   struct err *err)
{
	return start_mode(c, op, "private", r, done, err);
}

int platform_check_after(struct platform_check *c, struct operation *op,
			 const struct prepare_request *r, void (*done)(struct operation *),
			 struct err *err)
{
	return start_mode(c, op, "after", r, done, err);
}

static bool has_levels(const struct report *r)
{
	return r->program_level || r->image_level;
}

bool platform_check_has_cpu(const struct operation *op, const struct report *r)
{
	return r->verdict == VERDICT_EMULATE && (r->cpu[0] || has_levels(r)) &&
	       op->task->context->cli_path[0];
}

/* The arguments. Whatever is a name comes after an option that takes it. */
#define MODELS_ARGS 16

static void models_args(const struct platform_check *c, const struct operation *op,
			const struct report *r, const char *const levels[2],
			const char *ret[MODELS_ARGS])
{
	const char *const options[] = { "--level",   levels[0],	 "--image-level", levels[1],
					"--program", r->program, "--handler",	  r->handler };
	size_t n = 0;

	ret[n++] = op->task->context->cli_path;
	ret[n++] = "cpu-models";
	ret[n++] = "--machine";
	for (size_t i = 0; has_levels(r) && i < ARRAY_SIZE(options); i++)
		ret[n++] = options[i];
	ret[n++] = "--";
	/* Without an edit there is no model, and levels are of amd64. */
	ret[n++] = c->cpu_arch[0] ? c->cpu_arch : "amd64";
	ret[n++] = r->cpu[0] ? r->cpu : NULL;
	ret[n] = NULL;
}

int platform_check_cpu(struct platform_check *c, struct operation *op, const struct report *r,
		       void (*done)(struct run *, uint32_t code), struct err *err)
{
	char program[8], image[8];
	const char *const levels[2] = { program, image };
	const char *argv[MODELS_ARGS];
	CLEANUP_FD int w = -1;
	struct spawn_fd map;

	if (fd_pipe(&c->models_fd, &w, O_NONBLOCK, err) < 0)
		return -1;
	map = (struct spawn_fd){ w, STDOUT_FILENO };
	(void)str_fmt(program, sizeof(program), "%u", r->program_level);
	(void)str_fmt(image, sizeof(image), "%u", r->image_level);
	models_args(c, op, r, levels, argv);
	return operation_cli(op, &c->models, argv, &map, 1, done, err);
}

int platform_check_cpu_answer(struct platform_check *c, struct operation *op, uint32_t code,
			      struct err *err)
{
	char line[1024];
	ssize_t n = read(c->models_fd, line, sizeof(line) - 1);

	fd_close(&c->models_fd);
	if (op->timed_out)
		return err_set(err, ERR_TIMEOUT,
			       "the emulator's answer about its processors did not come before the "
			       "deadline");
	if (!code || n <= 0)
		return 0; /* whatever else happened: the emulator will say so itself */
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	outcome_refused(op, line, NULL);
	return err_set(err, ERR_PRECONDITION, "%s", line);
}

struct report *platform_check_read(struct platform_check *c, struct operation *op, struct err *err)
{
	CLEANUP_FREE struct report *r = steal(c->answer);
	bool more = r && (r->flags & REPORT_MORE) && !op->timed_out;

	if (more) {
		prepare_run_next(&c->prepare);
	} else {
		end_platform(c);
		prepare_run_stop(&c->prepare);
		c->prepare.run.answered = true;
	}
	if (op->timed_out) {
		err_set(err, ERR_TIMEOUT, "the platform check did not finish before the deadline");
		return NULL;
	}
	if (r && r->verdict != VERDICT_NONE)
		return steal(r);
	*err = r ? r->err : c->why;
	return NULL;
}

struct report *platform_check_report(struct platform_check *c, struct operation *op,
				     struct err *err)
{
	CLEANUP_FREE struct report *r = platform_check_read(c, op, err);

	if (!r) {
		outcome_unknown(op, err);
		return NULL;
	}
	if (!(r->flags & REPORT_MORE))
		outcome_found(op, r);
	if (r->verdict != VERDICT_REFUSE)
		return steal(r);
	outcome_refused(op, r->line, r);
	err_set(err, ERR_PRECONDITION, "%s", r->line);
	return NULL;
}
