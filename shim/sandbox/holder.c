/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/sandbox/holder.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"

#define PAUSE "crossarch-pause"
#define FD_ANSWER 3
#define FIXED_ARGS 16 /* all but the kernel parameters that are asked for */
#define KILL_BOUND_MS 100

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

/*
 * The first process of a PID namespace that has not told its number yet sees that the starter is
 * gone, or that nobody listens.
 */
void holder_end(struct holder *h)
{
	stop_listening(h);
	child_end(&h->starter, KILL_BOUND_MS);
	child_end(&h->first, KILL_BOUND_MS);
	h->pid = 0;
}

static void failed(struct holder *h, const struct err *why)
{
	holder_end(h);
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

/* True for "PID\n", of a process that could be ours. */
static bool names_holder(const struct holder *h, pid_t *ret)
{
	char text[16];
	uint64_t pid;
	struct err err;

	if (h->n < 2 || h->n >= sizeof(text) || h->answer[h->n - 1] != '\n')
		return false;
	memcpy(text, h->answer, h->n - 1);
	text[h->n - 1] = '\0';
	if (str_u64(text, "pid", INT_MAX, &pid, &err) < 0 || pid < 2)
		return false;
	*ret = (pid_t)pid;
	return true;
}

/* What has ended since is no holder: nobody would ever be told. */
static int watch(struct holder *h, pid_t pid, struct err *err)
{
	if (pid == h->starter.pid)
		return h->starter.pidfd.loop
			       ? 0
			       : err_set(err, ERR_IO, "the pod's namespaces: " PAUSE " has ended");
	if (child_watch(&h->first, h->reaper, pid, on_first_exit, err) == 0)
		return 0;
	(void)kill(pid, SIGKILL);
	return -1;
}

static void answered(struct holder *h)
{
	struct err err;
	pid_t pid;

	if (!names_holder(h, &pid)) {
		err_set(&err, ERR_IO, "the pod's namespaces: %.*s", h->n ? (int)h->n : INT_MAX,
			h->n ? h->answer : PAUSE " ended without a word");
		failed(h, &err);
		return;
	}
	if (watch(h, pid, &err) < 0) {
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

static bool asks_for(const struct pod_config *c, const char *sysctl)
{
	for (size_t i = 0; i < c->n_sysctls; i++)
		if (str_eq(c->sysctls[i]->name, sysctl))
			return true;
	return false;
}

#define PORTS "net.ipv4.ip_unprivileged_port_start"
#define PING "net.ipv4.ping_group_range"

/*
 * What CRI gives a network of the pod's own by default, from containerd 2.0 on
 * (enable_unprivileged_ports and enable_unprivileged_icmp), where that is possible: the second one
 * names groups that a user namespace does not have.
 */
static void add_network(struct words *w, const char *net, const struct pod_config *c)
{
	add(w, *net ? "--net" : "--new-net", *net ? net : NULL);
	if (!asks_for(c, PORTS))
		add(w, "--try-sysctl", PORTS "=0");
	if (!asks_for(c, PING))
		add(w, "--try-sysctl", PING "=0 2147483647");
	add(w, "--uts", NULL);
	if (*c->hostname)
		add(w, "--hostname", c->hostname);
}

static int make_words(struct words *w, const char *net, const struct pod_config *c,
		      struct arena *arena, struct err *err)
{
	w->v = arena_alloc(arena, (FIXED_ARGS + 2 * c->n_sysctls) * sizeof(*w->v));
	if (!w->v)
		return err_set(err, ERR_NOMEM, "no memory for arguments");
	add(w, PAUSE, NULL);
	if (!c->host_network)
		add_network(w, net, c);
	if (!c->host_ipc)
		add(w, "--ipc", NULL);
	if (!c->host_pid)
		add(w, "--pid", NULL);
	if (c->user)
		add(w, "--user", NULL);
	if (add_sysctls(w, c, arena, err) < 0)
		return -1;
	w->v[w->n] = NULL;
	return 0;
}

/*
 * The program on a mount of its own that cannot be written to. A container that shares its process
 * ids with the holder has a way to the node's file, /proc/1/exe, and could write to it as soon as
 * nobody runs it. -1 before Linux 5.12, or without the right to mount.
 */
static int open_unwritable(const char *dir)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	CLEANUP_FD int tree = open_tree(AT_FDCWD, dir, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -1;
	return openat(tree, PAUSE, O_PATH | O_CLOEXEC);
}

/* Its environment is empty: containers may read it, and containerd's is not theirs. */
static int spawn_pause(struct holder *h, const char *dir, const struct words *w, int answer,
		       struct err *err)
{
	char *const environment[] = { NULL };
	const struct spawn_fd map = { answer, FD_ANSWER };
	CLEANUP_FD int program = open_unwritable(dir);
	char path[PATH_MAX];
	const struct spawn what = {
		.path = path,
		.program_fd = program < 0 ? 0 : program,
		.argv = (char *const *)(uintptr_t)w->v,
		.envp = environment,
		.cwd = "/",
		.fds = &map,
		.n_fds = 1,
		.new_session = true,
	};

	if (!str_fmt(path, sizeof(path), "%s/" PAUSE, dir))
		return err_set(err, ERR_INVALID, "path of " PAUSE " too long");
	return child_spawn(&h->starter, h->reaper, &what, on_starter_exit, err);
}

int holder_start(struct holder *h, struct reaper *r, const char *dir, const char *net,
		 const struct pod_config *c, struct arena *arena, struct err *err)
{
	struct words w = { NULL, 0 };
	CLEANUP_FD int answer = -1;
	CLEANUP_FD int theirs = -1;

	if (make_words(&w, net, c, arena, err) < 0 || fd_pipe(&answer, &theirs, 0, err) < 0)
		return -1;
	h->reaper = r;
	h->bound.on_fire = on_bound;
	if (source_init(&h->readable, r->loop, answer, EPOLLIN, on_readable, err) < 0)
		return -1;
	if (spawn_pause(h, dir, &w, theirs, err) < 0) {
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
		log_write(LOG_DEBUG, LOG_NOTHING, LOG_FIELDS(.error = err.text),
			  "end of the pod's namespaces");
}
