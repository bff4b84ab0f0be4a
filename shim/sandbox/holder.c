/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/sandbox/holder.h"

#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"

#define FD_ANSWER 3
#define FIXED_ARGS 10 /* all but kernel parameters */

void holder_init(struct holder *h)
{
	*h = (struct holder){ .answer_fd = -1 };
}

static void stop_listening(struct holder *h)
{
	source_deinit(&h->readable);
	fd_close(&h->answer_fd);
	timer_disarm(&h->bound);
	if (h->held)
		reaper_release(h->reaper);
	h->held = false;
}

void holder_deinit(struct holder *h)
{
	stop_listening(h);
	if (h->starter.pid)
		child_forget(&h->starter);
	if (h->first.pid)
		child_forget(&h->first);
}

/* --- its answer ----------------------------------------------------------------------------- */

static void failed(struct holder *h, const struct err *why)
{
	stop_listening(h);
	if (h->starter.pid)
		child_end(&h->starter, 100);
	h->started(h, why);
}

static void on_first_exit(struct child *c, const struct exit_status *status)
{
	struct holder *h = container_of(c, struct holder, first);

	h->pid = 0;
	h->ended(h, status);
}

static void on_starter_exit(struct child *c, const struct exit_status *status)
{
	struct holder *h = container_of(c, struct holder, starter);

	if (h->pid != c->pid)
		return; /* it has said why, or who holds them */
	h->pid = 0;
	h->ended(h, status);
}

/* True for "PID\n". */
static bool names_holder(const struct holder *h, pid_t *ret)
{
	char text[16];
	uint64_t pid;
	struct err err;

	if (h->n < 2 || h->n >= sizeof(text) || h->answer[h->n - 1] != '\n')
		return false;
	memcpy(text, h->answer, h->n - 1);
	text[h->n - 1] = '\0';
	if (str_u64(text, "pid", INT_MAX, &pid, &err) < 0)
		return false;
	*ret = (pid_t)pid;
	return true;
}

static void answered(struct holder *h)
{
	struct err err;
	pid_t pid;

	if (!names_holder(h, &pid)) {
		err_set(&err, ERR_IO, "the pod's namespaces: %.*s", (int)h->n,
			h->n ? h->answer : "crossarch-pause ended without a word");
		failed(h, &err);
		return;
	}
	if (pid != h->starter.pid &&
	    child_watch(&h->first, h->reaper, pid, on_first_exit, &err) < 0) {
		failed(h, &err);
		return;
	}
	h->pid = pid;
	stop_listening(h);
	h->started(h, NULL);
}

static void on_readable(struct source *src)
{
	struct holder *h = container_of(src, struct holder, readable);
	ssize_t n = read(h->answer_fd, h->answer + h->n, sizeof(h->answer) - 1 - h->n);

	if (n > 0)
		h->n += (size_t)n;
	h->answer[h->n] = '\0';
	if (n <= 0 || h->n == sizeof(h->answer) - 1 || h->answer[h->n - 1] == '\n')
		answered(h);
}

static void on_bound(struct timer *t)
{
	struct holder *h = container_of(t, struct holder, bound);
	struct err err;

	err_set(&err, ERR_TIMEOUT, "the pod's namespaces were not made in %d s",
		(int)(HOLDER_BOUND_NS / S_TO_NS(1)));
	failed(h, &err);
}

/* --- starting it ---------------------------------------------------------------------------- */

struct words {
	const char **v;
	size_t n;
};

static void add(struct words *w, const char *option, const char *value)
{
	w->v[w->n++] = option;
	if (value)
		w->v[w->n++] = value;
}

static int add_sysctls(struct words *w, const struct pod_config *c, struct arena *arena,
		       struct err *err)
{
	for (size_t i = 0; i < c->n_sysctls; i++) {
		const Crossarch__PodSysctl *s = c->sysctls[i];
		size_t size = strlen(s->name) + strlen(s->value) + 2;
		char *text = arena_alloc(arena, size);

		if (!text)
			return err_set(err, ERR_NOMEM, "no memory for kernel parameters");
		(void)str_fmt(text, size, "%s=%s", s->name, s->value);
		add(w, "--sysctl", text);
	}
	return 0;
}

static int make_words(struct words *w, const char *net, const struct pod_config *c,
		      struct arena *arena, struct err *err)
{
	w->v = arena_alloc(arena, (FIXED_ARGS + 2 * c->n_sysctls) * sizeof(*w->v));
	if (!w->v)
		return err_set(err, ERR_NOMEM, "no memory for arguments");
	add(w, "crossarch-pause", NULL);
	if (!c->host_network && *net)
		add(w, "--net", net);
	if (!c->host_network && *c->hostname)
		add(w, "--hostname", c->hostname);
	if (!c->host_ipc)
		add(w, "--ipc", NULL);
	if (c->shared_pid)
		add(w, "--pid", NULL);
	if (c->user)
		add(w, "--user", NULL);
	if (add_sysctls(w, c, arena, err) < 0)
		return -1;
	w->v[w->n] = NULL;
	return 0;
}

int holder_start(struct holder *h, struct reaper *r, const char *path, const char *net,
		 const struct pod_config *c, struct arena *arena, struct err *err)
{
	struct words w = { NULL, 0 };
	CLEANUP_FD int answer = -1;
	CLEANUP_FD int theirs = -1;
	struct spawn_fd map;
	struct spawn what = { .path = path, .cwd = "/", .fds = &map, .n_fds = 1 };

	if (make_words(&w, net, c, arena, err) < 0 || fd_pipe(&answer, &theirs, 0, err) < 0)
		return -1;
	map = (struct spawn_fd){ theirs, FD_ANSWER };
	what.argv = (char *const *)(uintptr_t)w.v;
	what.new_session = true;
	h->reaper = r;
	h->bound.on_fire = on_bound;
	if (source_init(&h->readable, r->loop, answer, EPOLLIN, on_readable, err) < 0)
		return -1;
	if (child_spawn(&h->starter, r, &what, on_starter_exit, err) < 0) {
		source_deinit(&h->readable);
		return -1;
	}
	/* The first process of a PID namespace is ours before we know its number. */
	reaper_hold(r);
	h->held = true;
	h->answer_fd = answer;
	answer = -1;
	timer_arm(&h->bound, r->loop, HOLDER_BOUND_NS);
	return 0;
}

void holder_kill(const struct holder *h)
{
	const struct child *c = h->first.pid ? &h->first : &h->starter;
	struct err err;

	if (c->pid && child_signal(c, SIGKILL, &err) < 0)
		log_debug(NULL, "end of the pod's namespaces: %s", err.text);
}
