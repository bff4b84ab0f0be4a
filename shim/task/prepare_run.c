/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/prepare_run.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "runtime/prepare/client.h"

static void on_again(struct timer *t);

void prepare_run_init(struct prepare_run *q)
{
	*q = (struct prepare_run){ .fd = -1, .passed = -1, .again.on_fire = on_again };
}

void prepare_run_stop(struct prepare_run *q)
{
	q->waiting = false;
	timer_disarm(&q->again);
	source_deinit(&q->readable);
	fd_close(&q->fd);
	fd_close(&q->passed);
}

void prepare_run_deinit(struct prepare_run *q)
{
	prepare_run_stop(q);
	free(q->incoming);
}

/* Reads on, to the end of a record at most. Whatever follows from it, @q may be gone afterwards. */
static void pump(struct prepare_run *q)
{
	ssize_t n;

	do {
		n = report_receive(q->fd, (char *)q->incoming + q->have,
				   sizeof(*q->incoming) - q->have, q->may_pass ? &q->passed : NULL);
		q->have += n > 0 ? (size_t)n : 0;
	} while (q->have < sizeof(*q->incoming) && (n > 0 || (n < 0 && errno == EINTR)));
	if (q->have < sizeof(*q->incoming)) {
		if (n < 0 && errno == EAGAIN && !q->ended)
			return;
		/* There is nothing more to come: whether that is an error, its exit code tells. */
		source_deinit(&q->readable);
		if (!q->ended)
			return;
	} else if (q->readable.loop) {
		source_want(&q->readable, 0);
	}
	timer_disarm(&q->again);
	q->waiting = false;
	q->done(q);
}

static void on_readable(struct source *src)
{
	pump(container_of(src, struct prepare_run, readable));
}

static void on_again(struct timer *t)
{
	pump(container_of(t, struct prepare_run, again));
}

static void on_ended(struct run *run, uint32_t code)
{
	struct prepare_run *q = container_of(run, struct prepare_run, run);

	q->ended = true;
	q->code = code;
	if (q->waiting)
		pump(q);
}

/* A socket rather than a pipe: one of the records has a descriptor with it. */
static int open_socket(struct prepare_run *q, struct operation *op, int *ret_theirs,
		       struct err *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, ERR_IO, "create a socket for crossarch-prepare");
	q->fd = pair[0];
	*ret_theirs = pair[1];
	if (fcntl(q->fd, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, ERR_IO, "create a socket for crossarch-prepare");
	return source_init(&q->readable, op->task->context->loop, q->fd, EPOLLIN, on_readable, err);
}

/* What is started, with the descriptors of prepare. */
struct program {
	const char *mode;	 /* of prepare, or */
	const char *const *argv; /* of crossarch */
};

static int start_program(struct prepare_run *q, struct operation *op, const struct program *what,
			 const struct prepare_fds *fds, struct err *err)
{
	struct spawn_fd map[PREPARE_FDS_MAX];
	size_t n = prepare_map(fds, map);

	if (what->argv)
		return operation_cli(op, &q->run, what->argv, map, n, on_ended, err);
	return operation_prepare(op, &q->run, what->mode, map, n, on_ended, err);
}

static int start(struct prepare_run *q, struct operation *op, const struct program *what,
		 int request, int platform, void (*done)(struct prepare_run *), struct err *err)
{
	CLEANUP_FD int report_w = -1;
	CLEANUP_FD int bundle = open(op->task->bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct prepare_fds fds = { .platform = platform, .log = STDERR_FILENO };

	if (bundle < 0)
		return err_sys(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "open bundle %s",
			       op->task->bundle);
	run_forget(&q->run); /* of a step before this one; it is on its way out */
	prepare_run_stop(q);
	q->ended = false;
	q->waiting = true;
	q->have = 0;
	q->may_pass = what->mode && str_eq(what->mode, "create");
	q->done = done;
	q->name = what->argv ? "crossarch choose-platform" : "crossarch-prepare";
	if (!q->incoming && !(q->incoming = malloc(sizeof(*q->incoming))))
		return err_set(err, ERR_NOMEM, "no memory for the report");
	if (open_socket(q, op, &report_w, err) < 0)
		return -1;
	fds.report = report_w;
	fds.bundle = bundle;
	fds.request = request;
	if (start_program(q, op, what, &fds, err) == 0)
		return 0;
	/* The operation may wait for an engine first: the end of this socket is nobody's answer. */
	prepare_run_stop(q);
	return -1;
}

int prepare_run_request(const struct operation *op, const struct prepare_request *r, int *ret_fd,
			struct err *err)
{
	const struct log_subject about = operation_subject(op);
	struct prepare_request full = *r;

	full.namespace = about.namespace;
	full.sandbox = about.sandbox;
	full.id = about.id;
	full.exec = about.exec_id;
	full.traceparent = about.traceparent;
	return request_memfd(&full, ret_fd, err);
}

int prepare_run_start(struct prepare_run *q, struct operation *op, const char *mode, int request,
		      int platform, void (*done)(struct prepare_run *), struct err *err)
{
	const struct program what = { .mode = mode };

	return start(q, op, &what, request, platform, done, err);
}

int prepare_run_cli(struct prepare_run *q, struct operation *op, const char *const *argv,
		    int request, void (*done)(struct prepare_run *), struct err *err)
{
	const struct program what = { .argv = argv };

	return start(q, op, &what, request, -1, done, err);
}

int prepare_run_take(struct prepare_run *q, struct report *ret, struct err *err)
{
	size_t n = q->have;

	q->have = 0;
	q->may_pass = false;
	if (n)
		return report_decode(q->incoming, n, ret, err);
	if (q->code > 128)
		return err_set(err, ERR_IO, "%s was killed by signal %u", q->name, q->code - 128);
	return err_set(err, ERR_IO, "%s ended with code %u and no report", q->name, q->code);
}

void prepare_run_next(struct prepare_run *q)
{
	q->waiting = true;
	if (q->readable.loop)
		source_want(&q->readable, EPOLLIN);
	if (q->ended)
		timer_arm(&q->again, q->run.op->task->context->loop, 0);
}
