/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/loop/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void exit_status_of(const siginfo_t *si, struct exit_status *ret)
{
	clock_gettime(CLOCK_REALTIME, &ret->at);
	ret->code = (uint32_t)(si->si_code == CLD_EXITED ? si->si_status : 128 + si->si_status);
}

/* The one place where a known child ends: peek, tell, reap. @c may be gone after the callback. */
static void child_ended(struct child *c, const siginfo_t *si)
{
	struct exit_status status;
	int fd = c->pidfd.fd;
	siginfo_t reaped;

	exit_status_of(si, &status);
	source_deinit(&c->pidfd);
	list_del(&c->known);
	c->pidfd.fd = -1;
	c->on_exit(c, &status);
	waitid(P_PIDFD, (id_t)fd, &reaped, WEXITED | WNOHANG);
	close(fd);
}

/*
 * A pidfd becomes readable when the process is a zombie. ECHILD: it is not our child yet because
 * the engine that made it has not exited; the level-triggered event would spin, so the source is
 * muted and the sweep that follows the engine's SIGCHLD finds the zombie.
 */
static void child_on_ready(struct source *src)
{
	struct child *c = container_of(src, struct child, pidfd);
	siginfo_t si = { .si_pid = 0 };

	if (waitid(P_PIDFD, (id_t)src->fd, &si, WEXITED | WNOHANG | WNOWAIT) < 0)
		source_want(src, 0);
	else if (si.si_pid)
		child_ended(c, &si);
}

static struct child *find_known(struct reaper *r, pid_t pid)
{
	list_for_each(node, &r->children) {
		struct child *c = list_entry(node, struct child, known);

		if (c->pid == pid)
			return c;
	}
	return NULL;
}

static void child_sweep(struct reaper *r)
{
	while (!r->holds) {
		siginfo_t si = { .si_pid = 0 };
		struct child *c;

		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) < 0 || !si.si_pid)
			return;
		c = find_known(r, si.si_pid);
		if (c)
			child_ended(c, &si);
		else if (waitid(P_PID, (id_t)si.si_pid, &si, WEXITED | WNOHANG) < 0)
			return;
	}
}

static void on_later(struct timer *t)
{
	child_sweep(container_of(t, struct reaper, later));
}

static void on_signal(struct source *src)
{
	struct reaper *r = container_of(src, struct reaper, signals);
	struct signalfd_siginfo si;

	while (read(src->fd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT)
			r->loop->quit = true;
		if (si.ssi_signo == SIGUSR1 && r->on_usr1)
			r->on_usr1(r);
	}
	child_sweep(r);
}

/* Faults of ours are left: blocked, they would end us all the same. */
static void all_but_faults(sigset_t *ret)
{
	static const int faults[] = { SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS };

	sigfillset(ret);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		sigdelset(ret, faults[i]);
}

int reaper_block(sigset_t *ret_old, struct err *err)
{
	sigset_t set;

	all_but_faults(&set);
	return sigprocmask(SIG_BLOCK, &set, ret_old) < 0 ? err_sys(err, ERR_IO, "block signals")
							 : 0;
}

int reaper_init(struct reaper *r, struct loop *loop, struct err *err)
{
	sigset_t set;

	*r = (struct reaper){ .loop = loop, .signal_fd = -1 };
	list_init(&r->children);
	r->later.on_fire = on_later;
	all_but_faults(&set);
	if (reaper_block(NULL, err) < 0)
		return -1;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return err_sys(err, ERR_IO, "become subreaper");
	signal(SIGPIPE, SIG_IGN);
	r->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r->signal_fd < 0)
		return err_sys(err, ERR_IO, "signalfd");
	return source_init(&r->signals, loop, r->signal_fd, EPOLLIN, on_signal, err);
}

void reaper_deinit(struct reaper *r)
{
	timer_disarm(&r->later);
	source_deinit(&r->signals);
	fd_close(&r->signal_fd);
}

void reaper_hold(struct reaper *r)
{
	r->holds++;
}

void reaper_release(struct reaper *r)
{
	ASSERT(r->holds > 0);
	r->holds--;
	if (!r->holds)
		timer_arm(&r->later, r->loop, 0);
}

int child_watch(struct child *c, struct reaper *r, pid_t pid,
		void (*on_exit)(struct child *, const struct exit_status *), struct err *err)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return err_sys(err, ERR_IO, "watch process %d", (int)pid);
	*c = (struct child){ .reaper = r, .pid = pid, .on_exit = on_exit };
	if (source_init(&c->pidfd, r->loop, fd, EPOLLIN, child_on_ready, err) < 0) {
		fd_close(&fd);
		*c = (struct child){ .pid = 0 };
		return -1;
	}
	list_init(&c->known);
	list_add(&r->children, &c->known);
	return 0;
}

/* A process we started but cannot watch would be lost: it is ended before the error is returned. */
static int watch_new(struct child *c, struct reaper *r, pid_t pid,
		     void (*on_exit)(struct child *, const struct exit_status *), struct err *err)
{
	if (child_watch(c, r, pid, on_exit, err) == 0)
		return 0;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return -1;
}

int child_spawn(struct child *c, struct reaper *r, const struct spawn *what,
		void (*on_exit)(struct child *, const struct exit_status *), struct err *err)
{
	pid_t pid;

	if (spawn(what, &pid, err) < 0)
		return -1;
	return watch_new(c, r, pid, on_exit, err);
}

int child_fork(struct child *c, struct reaper *r, int (*run)(void *arg), void *arg,
	       void (*on_exit)(struct child *, const struct exit_status *), struct err *err)
{
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(err, ERR_IO, "fork");
	if (pid == 0) {
		/* Copies of ours would keep pipes open that others wait to see closed. */
		(void)close_range(STDERR_FILENO + 1, ~0u, 0);
		_exit(run(arg));
	}
	return watch_new(c, r, pid, on_exit, err);
}

int child_signal(const struct child *c, int sig, struct err *err)
{
	if (c->pid <= 0 || !c->pidfd.loop)
		return err_set(err, ERR_NOT_FOUND, "process already finished");
	if (syscall(SYS_pidfd_send_signal, c->pidfd.fd, sig, NULL, 0) == 0)
		return 0;
	if (errno == ESRCH)
		return err_set(err, ERR_NOT_FOUND, "process already finished");
	if (errno == EINVAL)
		return err_set(err, ERR_INVALID, "%d is not a signal number", sig);
	return err_sys(err, ERR_IO, "signal process %d", (int)c->pid);
}

void child_forget(struct child *c)
{
	if (!c->pidfd.loop)
		return;
	source_deinit(&c->pidfd);
	fd_close(&c->pidfd.fd);
	list_del(&c->known);
}

void child_end(struct child *c, int bound_ms)
{
	struct pollfd p = { .fd = c->pidfd.fd, .events = POLLIN };
	siginfo_t si;

	if (!c->pidfd.loop)
		return;
	(void)syscall(SYS_pidfd_send_signal, p.fd, SIGKILL, NULL, 0);
	if (poll(&p, 1, bound_ms) == 1)
		(void)waitid(P_PIDFD, (id_t)p.fd, &si, WEXITED | WNOHANG);
	child_forget(c);
}
