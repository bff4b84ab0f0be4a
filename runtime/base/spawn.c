/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/mem.h"

/* Numbers from here up are ours while the map is laid out; a map never names one of them. */
#define SCRATCH_FD 16

/* Runs in the child. Between vfork and execve: system calls on the child's own state only. */
static int place_fds(const struct spawn *s, int *ret_program)
{
	bool std_named[3] = { false, false, false };
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC), high[16];

	if (null_fd < 0 || s->n_fds > ARRAY_SIZE(high))
		return -1;
	for (size_t i = 0; i < s->n_fds; i++) {
		int from = s->fds[i].from < 0 ? null_fd : s->fds[i].from;

		high[i] = fcntl(from, F_DUPFD_CLOEXEC, SCRATCH_FD);
		if (high[i] < 0)
			return -1;
		if (s->fds[i].to < 3)
			std_named[s->fds[i].to] = true;
	}
	*ret_program = s->program_fd > 0 ? fcntl(s->program_fd, F_DUPFD_CLOEXEC, SCRATCH_FD) : -1;
	if (s->program_fd > 0 && *ret_program < 0)
		return -1;
	/* Whatever else we inherited ourselves stays with us. */
	if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		return -1;
	for (int n = 0; n < 3; n++)
		if (!std_named[n] && dup2(null_fd, n) < 0)
			return -1;
	for (size_t i = 0; i < s->n_fds; i++)
		if (dup2(high[i], s->fds[i].to) < 0)
			return -1;
	return 0;
}

static void reset_signals(void)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig < 32; sig++)
		sigaction(sig, &dfl, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A script cannot be read through a descriptor that is closed by then: ENOENT. */
static void execute_open(const struct spawn *s, int program)
{
	if (program >= 0)
		(void)execveat(program, "", s->argv, s->envp ? s->envp : environ, AT_EMPTY_PATH);
	else
		errno = ENOENT;
}

static int become(const struct spawn *s)
{
	int program = -1;

	if (s->new_session ? setsid() < 0 : s->new_group && setpgid(0, 0) < 0)
		return -1;
	if (s->die_with_parent && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -1;
	if (s->cwd && chdir(s->cwd) < 0)
		return -1;
	if (place_fds(s, &program) < 0)
		return -1;
	if (s->nofile && setrlimit(RLIMIT_NOFILE, s->nofile) < 0)
		return -1;
	reset_signals();
	execute_open(s, program);
	if (errno != ENOENT)
		return -1;
	if (s->envp)
		execvpe(s->path, s->argv, s->envp);
	else
		execvp(s->path, s->argv);
	return -1;
}

int spawn(const struct spawn *s, pid_t *ret_pid, struct err *err)
{
	sigset_t all, old;
	volatile int child_errno = 0; /* written by the child: it shares our memory until execve */
	pid_t pid;

	/* No signal may reach the child while it borrows our stack. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = vfork();
	if (pid == 0) {
		become(s);
		child_errno = errno ? errno : EIO;
		_exit(127);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		return err_sys(err, ERR_IO, "start %s", s->path);
	if (child_errno) {
		waitpid(pid, NULL, 0);
		errno = child_errno;
		return err_sys(err, child_errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "start %s",
			       s->path);
	}
	*ret_pid = pid;
	return 0;
}
