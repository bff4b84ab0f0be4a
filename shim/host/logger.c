/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/logger.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "shim/host/uri.h"

#define READY_WITHIN S_TO_NS(10)
/* What containerd's own shim gives a driver between SIGTERM and SIGKILL. */
#define KILL_AFTER_MS 12000
#define ARGS_MAX 64

/* argv of the driver, pointing into `text`. */
struct command {
	char *text;
	char *argv[ARGS_MAX + 1];
	size_t n;
};

static bool has_key(const struct command *c, const char *key)
{
	for (size_t i = 1; i < c->n; i += 2)
		if (str_eq(c->argv[i], key))
			return true;
	return false;
}

/* "key=value" becomes two arguments; of a repeated key the first value counts. */
static int add_pair(struct command *c, char *pair, struct err *err)
{
	char *value = strchr(pair, '=');

	if (value)
		*value++ = '\0';
	else
		value = pair + strlen(pair);
	uri_decode(pair, true);
	uri_decode(value, true);
	if (has_key(c, pair))
		return 0;
	if (c->n + 2 > ARGS_MAX)
		return err_set(err, ERR_LIMIT, "logging driver: more than %d arguments", ARGS_MAX);
	c->argv[c->n++] = pair;
	c->argv[c->n++] = value;
	return 0;
}

static int parse_command(struct command *c, const char *uri, struct err *err)
{
	char scheme[URI_SCHEME_MAX], *query, *pair;

	c->text = strdup(uri_scheme(uri, scheme));
	if (!c->text)
		return err_set(err, ERR_NOMEM, "no memory for a command line");
	if (uri_split(c->text, &query, err) < 0)
		return err_in(err, "logging driver");
	c->argv[c->n++] = c->text;
	while ((pair = strsep(&query, "&")))
		if (*pair && add_pair(c, pair, err) < 0)
			return -1;
	return 0;
}

static void handshake_over(struct logger *l, const struct err *failed)
{
	timer_disarm(&l->bound);
	source_deinit(&l->ready);
	fd_close(&l->ready_fd);
	l->is_ready = !failed;
	l->on_ready(l, failed);
}

static void on_ready_pipe(struct source *src)
{
	struct logger *l = container_of(src, struct logger, ready);
	struct err err = ERR_INIT;
	char byte;
	ssize_t n = read(src->fd, &byte, 1);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		err_sys(&err, ERR_IO, "logging driver: ready pipe");
	else if (n == 0 && l->strict)
		err_set(&err, ERR_PRECONDITION,
			"logging driver closed its ready pipe without a word: it may have crashed");
	handshake_over(l, err.code ? &err : NULL);
}

static void on_bound(struct timer *t)
{
	struct logger *l = container_of(t, struct logger, bound);
	struct err err;

	err_set(&err, ERR_TIMEOUT, "logging driver was not ready within 10 s");
	handshake_over(l, &err);
}

static void on_exit_(struct child *c, const struct exit_status *status)
{
	struct logger *l = container_of(c, struct logger, child);

	(void)status;
	l->running = false;
	l->on_exit(l);
}

static int spawn_driver(struct logger *l, struct reaper *reaper, const struct logger_spec *spec,
			const struct command *c, int ready_w, struct err *err)
{
	const struct spawn_fd fds[] = {
		{ .from = spec->out, .to = 3 },
		{ .from = spec->err, .to = 4 },
		{ .from = ready_w, .to = 5 },
	};
	struct buf id = BUF_INIT(1024), ns = BUF_INIT(1024);
	char *envp[3] = { NULL };
	struct spawn what = { .path = c->argv[0],
			      .argv = c->argv,
			      .envp = envp,
			      .fds = fds,
			      .n_fds = ARRAY_SIZE(fds) };
	int r = -1;

	if (buf_printf(&id, err, "CONTAINER_ID=%s", spec->id) == 0 &&
	    buf_printf(&ns, err, "CONTAINER_NAMESPACE=%s", spec->ns) == 0) {
		envp[0] = (char *)id.data;
		envp[1] = (char *)ns.data;
		r = child_spawn(&l->child, reaper, &what, on_exit_, err);
	}
	buf_deinit(&id);
	buf_deinit(&ns);
	return r;
}

static int start_driver(struct logger *l, struct reaper *reaper, const struct logger_spec *spec,
			const struct command *c, struct err *err)
{
	CLEANUP_FD int ready_w = -1;

	if (fd_pipe(&l->ready_fd, &ready_w, 0, err) < 0)
		return -1;
	if (fcntl(l->ready_fd, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, ERR_IO, "ready pipe");
	if (source_init(&l->ready, reaper->loop, l->ready_fd, EPOLLIN, on_ready_pipe, err) < 0)
		return -1;
	if (spawn_driver(l, reaper, spec, c, ready_w, err) < 0)
		return err_in(err, "logging driver");
	l->running = true;
	timer_arm(&l->bound, reaper->loop, READY_WITHIN);
	return 0;
}

int logger_start(struct logger *l, struct reaper *reaper, const struct logger_spec *spec,
		 struct err *err)
{
	struct command c = { .n = 0 };
	int r = parse_command(&c, spec->uri, err);

	*l = (struct logger){ .ready_fd = -1,
			      .strict = str_after(spec->uri, "binary-v2:") != NULL,
			      .on_ready = spec->on_ready,
			      .on_exit = spec->on_exit,
			      .bound.on_fire = on_bound };
	if (r == 0)
		r = start_driver(l, reaper, spec, &c, err);
	if (r < 0)
		logger_deinit(l);
	free(c.text);
	return r;
}

/*
 * The one that waits in our place: a process of its own, which outlives us too. It keeps nothing
 * but the driver's pidfd, so it holds no pipe of any container open.
 */
static _Noreturn void wait_and_kill(int pidfd)
{
	struct pollfd gone = { .fd = STDIN_FILENO, .events = POLLIN };

	if (dup2(pidfd, STDIN_FILENO) < 0 || close_range(STDIN_FILENO + 1, ~0U, 0) < 0)
		_exit(1);
	if (poll(&gone, 1, KILL_AFTER_MS) == 0)
		syscall(SYS_pidfd_send_signal, STDIN_FILENO, SIGKILL, NULL, 0);
	_exit(0);
}

static void end_driver(struct logger *l)
{
	struct err ignored;

	if (child_signal(&l->child, SIGTERM, &ignored) == 0 && fork() == 0)
		wait_and_kill(l->child.pidfd.fd);
	child_forget(&l->child);
	l->running = false;
}

void logger_deinit(struct logger *l)
{
	timer_disarm(&l->bound);
	source_deinit(&l->ready);
	fd_close(&l->ready_fd);
	if (l->running)
		end_driver(l);
}
