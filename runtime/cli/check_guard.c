/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/check_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/cli/check.h"
#include "runtime/containerd/snapshots.h"

#define ANSWER_MS 30000
#define TRIES 20

struct watched {
	const char *socket, *namespace, *lease;
	pid_t pid;
};

/* Whoever waits for the checker's output, or interrupts it, does not mean us. */
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

static int take_back(const struct watched *w, struct err *err)
{
	const struct rpc_target target = { .socket = w->socket,
					   .namespace = w->namespace,
					   .timeout_ms = ANSWER_MS };
	CLEANUP_RPC struct rpc *rpc = NULL;

	if (rpc_open(&target, &rpc, err) < 0)
		return -1;
	if (lease_empty(rpc, w->lease, err) < 0 || lease_end(rpc, w->lease, err) < 0)
		return err->code == ERR_NOT_FOUND ? 0 : -1; /* it had not come to a lease */
	return 0;
}

/* More than once: a call of the checker may still be at work in the daemon. */
static void watch(int fd, const struct watched *w)
{
	const struct timespec pause = { .tv_nsec = 200000000 };
	struct err ignored;
	char done;
	ssize_t n;

	stand_aside();
	while ((n = read(fd, &done, 1)) < 0 && errno == EINTR)
		continue;
	if (n == 1)
		_exit(0);
	check_sweep(w->pid);
	for (int i = 0; i < TRIES && take_back(w, &ignored) < 0; i++)
		nanosleep(&pause, NULL);
	_exit(0);
}

int guard_start(struct guard *g, const char *socket, const char *namespace, const char *lease,
		struct err *err)
{
	const struct watched w = { socket, namespace, lease, getpid() };
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
