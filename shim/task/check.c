/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/str.h"
#include "shim/task/service.h"

void check_init(struct check *c)
{
	*c = (struct check){ .report_fd = -1, .models_fd = -1 };
}

static void end_platform(struct check *c)
{
	struct err err;

	if (c->platform.pidfd.loop && child_signal(&c->platform, SIGKILL, &err) < 0)
		log_debug(NULL, "image-platform: %s", err.text);
	child_forget(&c->platform);
}

static void close_report(struct check *c)
{
	source_deinit(&c->readable);
	fd_close(&c->report_fd);
}

void check_stop(struct check *c)
{
	end_platform(c);
	close_report(c);
}

void check_deinit(struct check *c)
{
	check_stop(c);
	fd_close(&c->models_fd);
	free(c->incoming);
}

static void on_platform_exit(struct child *c, const struct exit_status *status)
{
	(void)c;
	(void)status;
}

static bool has_platform(const struct service *s)
{
	return *s->cli_path && *s->grpc_address;
}

/* Its answer is evidence only: that it cannot be started is no reason to fail. */
static void start_platform(struct check *c, const struct task *t, int answer)
{
	const struct service *s = t->service;
	const char *const argv[] = { s->cli_path,
				     "image-platform",
				     "--machine",
				     "--address",
				     s->grpc_address,
				     "--namespace",
				     s->ns,
				     t->id,
				     NULL };
	const struct spawn_fd map = { answer, 1 };
	struct spawn what = { .path = s->cli_path,
			      .argv = (char *const *)(uintptr_t)argv,
			      .fds = &map,
			      .n_fds = 1,
			      .new_group = true };
	struct err err;

	if (child_spawn(&c->platform, &t->service->reaper, &what, on_platform_exit, &err) < 0)
		log_warning(t->id, "the image's platform stays unknown: %s", err.text);
}

/* --- the report ----------------------------------------------------------------------------- */

/* Whatever follows from it, @c may be gone afterwards. */
static void pump(struct check *c)
{
	struct operation *op = c->prepare.op;
	ssize_t n =
		read(c->report_fd, (char *)c->incoming + c->have, sizeof(*c->incoming) - c->have);

	if (n < 0 && errno == EAGAIN && !c->ended)
		return;
	if (n > 0) {
		c->have += (size_t)n;
		if (c->have == sizeof(*c->incoming))
			c->done(op);
		return;
	}
	/* There is nothing more to come: whether that is an error, its exit code tells. */
	source_deinit(&c->readable);
	if (c->ended)
		c->done(op);
}

static void on_readable(struct source *src)
{
	pump(container_of(src, struct check, readable));
}

static void on_prepare_ended(struct run *run, uint32_t code)
{
	struct check *c = container_of(run, struct check, prepare);

	c->ended = true;
	c->code = code;
	if (c->report_fd >= 0 && !c->readable.loop)
		c->done(run->op);
}

/* --- prepare -------------------------------------------------------------------------------- */

static int start_prepare(struct check *c, struct operation *op, const char *mode,
			 const struct prepare_request *r, int platform_fd,
			 void (*done)(struct operation *), struct err *err)
{
	CLEANUP_FD int request = -1;
	CLEANUP_FD int report_w = -1;
	CLEANUP_FD int bundle = open(op->task->bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct spawn_fd map[5];
	size_t n = 0;

	if (bundle < 0)
		return err_sys(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "open bundle %s",
			       op->task->bundle);
	run_forget(&c->prepare); /* of a step before this one; it is on its way out */
	close_report(c);
	c->ended = false;
	c->have = 0;
	c->two = str_eq(mode, "create");
	c->done = done;
	if (!c->incoming && !(c->incoming = malloc(sizeof(*c->incoming))))
		return err_set(err, ERR_NOMEM, "no memory for the report");
	if (request_memfd(r, &request, err) < 0 ||
	    fd_pipe(&c->report_fd, &report_w, O_NONBLOCK, err) < 0 ||
	    source_init(&c->readable, op->task->service->loop, c->report_fd, EPOLLIN, on_readable,
			err) < 0)
		return -1;
	map[n++] = (struct spawn_fd){ STDERR_FILENO, 2 };
	map[n++] = (struct spawn_fd){ report_w, 3 };
	map[n++] = (struct spawn_fd){ bundle, 4 };
	map[n++] = (struct spawn_fd){ request, 5 };
	if (platform_fd >= 0)
		map[n++] = (struct spawn_fd){ platform_fd, 6 };
	return operation_prepare(op, &c->prepare, mode, map, n, on_prepare_ended, err);
}

/* prepare first: it has work to do before it needs the answer. */
int check_create(struct check *c, struct operation *op, const struct prepare_request *r,
		 void (*done)(struct operation *), struct err *err)
{
	CLEANUP_FD int question = -1;
	CLEANUP_FD int answer = -1;

	if (has_platform(op->task->service) && fd_pipe(&question, &answer, 0, err) < 0)
		return -1;
	if (start_prepare(c, op, "create", r, question, done, err) < 0)
		return -1;
	if (answer >= 0)
		start_platform(c, op->task, answer);
	return 0;
}

int check_exec(struct check *c, struct operation *op, const struct prepare_request *r,
	       void (*done)(struct operation *), struct err *err)
{
	return start_prepare(c, op, "exec", r, -1, done, err);
}

int check_private(struct check *c, struct operation *op, const struct prepare_request *r,
		  void (*done)(struct operation *), struct err *err)
{
	return start_prepare(c, op, "private", r, -1, done, err);
}

int check_after(struct check *c, struct operation *op, const struct prepare_request *r,
		void (*done)(struct operation *), struct err *err)
{
	return start_prepare(c, op, "after", r, -1, done, err);
}

bool check_has_cpu(const struct operation *op, const struct report *r)
{
	return r->verdict == VERDICT_EMULATE && r->cpu[0] && op->task->service->cli_path[0];
}

int check_cpu(struct check *c, struct operation *op, const struct report *r,
	      void (*done)(struct run *, uint32_t code), struct err *err)
{
	const char *arch = strrchr(r->guest, '/');
	const char *const argv[] = { op->task->service->cli_path, "cpu-models", "--machine",
				     arch ? arch + 1 : r->guest,  r->cpu,	NULL };
	CLEANUP_FD int w = -1;
	struct spawn_fd map;

	if (fd_pipe(&c->models_fd, &w, O_NONBLOCK, err) < 0)
		return -1;
	map = (struct spawn_fd){ w, STDOUT_FILENO };
	return operation_cli(op, &c->models, argv, &map, 1, done, err);
}

int check_cpu_answer(struct check *c, struct operation *op, uint32_t code, struct err *err)
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
	log_warning(op->task->id, "refused: %s", line);
	return err_set(err, ERR_PRECONDITION, "%s", line);
}

static int read_report(struct check *c, struct operation *op, struct report *r, struct err *err)
{
	size_t n = c->have;

	c->have = 0;
	if (op->timed_out)
		return err_set(err, ERR_TIMEOUT,
			       "the platform check did not finish before the deadline");
	if (n) {
		if (report_decode(c->incoming, n, r, err) < 0)
			return -1;
		if ((r->flags & REPORT_MORE) && !c->two)
			return err_set(err, ERR_INVALID,
				       "crossarch-prepare announces a report that cannot follow: "
				       "install shim and prepare from one build");
		c->two = false;
		return 0;
	}
	if (c->code > 128)
		return err_set(err, ERR_IO, "crossarch-prepare was killed by signal %u",
			       c->code - 128);
	return err_set(err, ERR_IO, "crossarch-prepare ended with code %u and no report", c->code);
}

static void log_findings(const struct task *t, const struct report *r)
{
	if (r->verdict == VERDICT_EMULATE)
		log_info(t->id, "%s is %s and runs through binfmt_misc handler %s", r->program,
			 r->guest, r->handler);
	for (uint32_t i = 0; i < r->n_warnings; i++)
		log_warning(t->id, "%s", r->warnings[i]);
}

struct report *check_read(struct check *c, struct operation *op, struct err *err)
{
	CLEANUP_FREE struct report *r = malloc(sizeof(*r));
	bool more;
	int rc;

	if (!r)
		rc = err_set(err, ERR_NOMEM, "no memory for the report");
	else
		rc = read_report(c, op, r, err);
	more = rc == 0 && (r->flags & REPORT_MORE);
	if (!more) {
		end_platform(c);
		close_report(c);
		c->prepare.told = true;
	}
	if (rc < 0)
		return NULL;
	if (!op->task->service->debug)
		log_set_level((enum log_level)r->log_level);
	if (r->verdict != VERDICT_NONE)
		return steal(r);
	*err = r->err;
	return NULL;
}

struct report *check_report(struct check *c, struct operation *op, struct err *err)
{
	CLEANUP_FREE struct report *r = check_read(c, op, err);

	if (!r)
		return NULL;
	if (!(r->flags & REPORT_MORE))
		log_findings(op->task, r);
	if (r->verdict != VERDICT_REFUSE)
		return steal(r);
	log_warning(op->task->id, "refused: %s", r->line);
	err_set(err, ERR_PRECONDITION, "%s", r->line);
	return NULL;
}
