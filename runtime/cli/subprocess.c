/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/subprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"

#define LOOK_AGAIN_MS 100

/* Gives the child its descriptors; everything else of ours is close-on-exec. */
static int start_program(const struct subprocess *r, int out, pid_t *ret_pid)
{
	char *none[] = { NULL };
	posix_spawn_file_actions_t files;
	int rc = posix_spawn_file_actions_init(&files);

	if (rc)
		return rc;
	rc = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	if (!rc && out >= 0)
		rc = posix_spawn_file_actions_adddup2(&files, out, 1);
	else if (!rc)
		rc = posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	if (!rc && out >= 0 && r->with_stderr)
		rc = posix_spawn_file_actions_adddup2(&files, out, 2);
	else if (!rc)
		rc = posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
	/* A descriptor copied onto itself loses close-on-exec in the child. */
	if (!rc && r->keep_fd >= 0)
		rc = posix_spawn_file_actions_adddup2(&files, r->keep_fd, r->keep_fd);
	if (!rc)
		rc = posix_spawn(ret_pid, r->path, &files, NULL, r->argv, r->envp ? r->envp : none);
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Takes what is there; false at the end, on an error, or when @b is full. */
static bool drain_output(int fd, struct buf *b)
{
	char bytes[4096];
	ssize_t n = read(fd, bytes, sizeof(bytes));
	struct err ignored;

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	return n > 0 && buf_add(b, bytes, (size_t)n, &ignored) == 0;
}

/* A file of /proc/PID as text; false without. */
static bool read_proc(pid_t pid, const char *name, char *text, size_t size)
{
	CLEANUP_FD int fd = -1;
	char path[32];
	ssize_t n;

	(void)str_fmt(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, size - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return true;
}

/* Ready to run: the letter behind the name, which is in parentheses (proc_pid_stat(5)). */
static bool is_runnable(pid_t pid)
{
	char text[512];
	const char *at;

	if (!read_proc(pid, "stat", text, sizeof(text)))
		return false;
	at = strrchr(text, ')');
	return at && at[1] && at[2] == 'R';
}

/*
 * What is left of the time for a process beyond its deadline by @over_ms. Its schedstat has the
 * nanoseconds that it ran and those that it waited for a processor before it ran
 * (Documentation/scheduler/sched-stats.rst); while it waits it is only seen to be ready.
 */
static int64_t time_left(pid_t pid, int64_t over_ms, unsigned int timeout_ms)
{
	uint64_t ran, waited;
	char text[96];
	int64_t left;

	if (!read_proc(pid, "schedstat", text, sizeof(text)) ||
	    sscanf(text, "%" SCNu64 " %" SCNu64, &ran, &waited) != 2)
		return 0;
	left = (int64_t)(waited / 1000000) - over_ms;
	if (left <= 0 && ran / 1000000 < timeout_ms && is_runnable(pid))
		return LOOK_AGAIN_MS;
	return left;
}

/* Reads @out until the process has ended; false when that takes too long. */
static bool read_until_end(pid_t pid, int pidfd, int out, const struct subprocess *r)
{
	int64_t deadline = now_ms() + r->timeout_ms;
	struct pollfd p[2] = { { pidfd, POLLIN, 0 }, { out, POLLIN, 0 } };

	for (;;) {
		int64_t left = deadline - now_ms();

		if (left <= 0)
			left = time_left(pid, -left, r->timeout_ms);
		if (left <= 0)
			return false;
		if (poll(p, 2, (int)left) < 0 && errno != EINTR)
			return false;
		if (p[1].fd >= 0 && p[1].revents) {
			if (!drain_output(p[1].fd, r->out))
				p[1].fd = -1;
			continue;
		}
		if (p[0].revents)
			return true;
	}
}

static void reap(pid_t pid, bool ended, struct subprocess_result *ret)
{
	int status = 0;

	if (!ended)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!ended)
		*ret = (struct subprocess_result){ SUBPROCESS_TIMEOUT, 0 };
	else if (WIFSIGNALED(status))
		*ret = (struct subprocess_result){ SUBPROCESS_KILLED, WTERMSIG(status) };
	else
		*ret = (struct subprocess_result){ SUBPROCESS_EXITED, WEXITSTATUS(status) };
}

int subprocess_run(const struct subprocess *r, struct subprocess_result *ret, struct err *err)
{
	CLEANUP_FD int in = -1;
	CLEANUP_FD int out = -1;
	CLEANUP_FD int pidfd = -1;
	pid_t pid;
	int rc;

	if (r->out && fd_pipe(&in, &out, 0, err) < 0)
		return -1;
	rc = start_program(r, out, &pid);
	if (rc) {
		*ret = (struct subprocess_result){ SUBPROCESS_REFUSED, rc };
		return 0;
	}
	fd_close(&out);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		(void)err_sys(err, ERR_IO, "watch %s", r->path);
	reap(pid, pidfd >= 0 && read_until_end(pid, pidfd, in, r), ret);
	return pidfd < 0 ? -1 : 0;
}

void subprocess_describe(const struct subprocess_result *r, char *text, size_t size)
{
	switch (r->end) {
	case SUBPROCESS_REFUSED:
		(void)str_fmt(text, size, "the kernel refuses it: %s", strerror(r->value));
		return;
	case SUBPROCESS_EXITED:
		(void)str_fmt(text, size, "exits with %d", r->value);
		return;
	case SUBPROCESS_KILLED:
		(void)str_fmt(text, size, "is killed by signal %d (%s)", r->value,
			      strsignal(r->value));
		return;
	case SUBPROCESS_TIMEOUT:
		(void)str_fmt(text, size, "does not end within the time it was given");
		return;
	}
}
