/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/check_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/arena.h"
#include "runtime/base/fd.h"
#include "runtime/cli/dry_run.h"
#include "runtime/cli/scratch_tree.h"
#include "runtime/containerd/namespaces.h"
#include "runtime/containerd/snapshots.h"

#define ANSWER_MS 30000
#define TRIES 20

static const struct timespec settle = { .tv_nsec = 200000000 };

/* Signals from the checker's terminal are not for us, nor may we hold its output open. */
static void stand_aside(void)
{
	CLEANUP_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(null, fd);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
}

struct watched {
	struct guarded what;
	pid_t pid;
};

static int open_in(const char *socket, const char *namespace, struct rpc **ret, struct err *err)
{
	const struct rpc_target target = { .socket = socket,
					   .namespace = namespace,
					   .timeout_ms = ANSWER_MS };

	return rpc_open(&target, ret, err);
}

/*
 * Twice: a call of the checker may still be at work in the daemon. What that makes is in the lease
 * as long as there is one, and in nothing at all afterwards.
 */
static int take_back(const struct guarded *w, const char *namespace, struct err *err)
{
	CLEANUP_RPC struct rpc *rpc = NULL;

	if (open_in(w->socket, namespace, &rpc, err) < 0)
		return -1;
	if (lease_empty(rpc, w->lease, err) < 0)
		return err->code == ERR_NOT_FOUND ? 0 : -1; /* it had not come to a lease */
	nanosleep(&settle, NULL);
	return lease_empty(rpc, w->lease, err) < 0 ? -1 : lease_end(rpc, w->lease, err);
}

static int take_back_all(const struct guarded *w, struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = 1u << 20 };
	CLEANUP_RPC struct rpc *rpc = NULL;
	const char *const *all;
	int rc = 0;

	if (!w->lease)
		return 0;
	if (w->namespace)
		return take_back(w, w->namespace, err);
	if (open_in(w->socket, NULL, &rpc, err) < 0 || namespaces_list(rpc, &arena, &all, err) < 0)
		return -1;
	for (; *all; all++)
		if (take_back(w, *all, err) < 0)
			rc = -1;
	return rc;
}

static void watch(int fd, const struct watched *w)
{
	struct err ignored;
	char done;
	ssize_t n;

	stand_aside();
	while ((n = read(fd, &done, 1)) < 0 && errno == EINTR)
		continue;
	if (n == 1)
		_exit(0);
	dry_run_sweep(w->pid);
	scratch_tree_sweep(w->pid);
	for (int i = 0; i < TRIES && take_back_all(&w->what, &ignored) < 0; i++)
		nanosleep(&settle, NULL);
	_exit(0);
}

int guard_start(struct guard *g, const struct guarded *what, struct err *err)
{
	const struct watched w = { *what, getpid() };
	CLEANUP_FD int in = -1;
	CLEANUP_FD int out = -1;

	if (fd_pipe(&in, &out, 0, err) < 0)
		return -1;
	g->pid = fork();
	if (g->pid < 0)
		return err_sys(err, ERR_IO, "fork");
	if (g->pid == 0) {
		fd_close(&out);
		watch(in, &w);
	}
	g->fd = fd_steal(&out);
	return 0;
}

void guard_end(struct guard *g)
{
	if (g->fd < 0)
		return;
	(void)!write(g->fd, "", 1);
	fd_close(&g->fd);
	while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

void guard_drop(struct guard *g)
{
	fd_close(&g->fd);
}
