/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/prepare/client.h"
#include "runtime/prepare/report.h"
#include "runtime/prepare/request.h"

/*
 * Runs a program to its end and counts the system calls of it and of the processes that it forked,
 * or only runs it, for valgrind to count. What outlives the program is counted until it sleeps, and
 * ended then. crossarch-prepare is given what the shim gives it.
 */

#define FORKS_MAX 16
#define ASLEEP_MS 300

struct traced {
	pid_t pid; /* 0: gone */
	unsigned int stops;
};

struct count {
	struct traced all[FORKS_MAX];
	size_t n;
	pid_t first;
	int status; /* of the first */
	bool ended; /* the first has */
};

static struct traced *find(struct count *c, pid_t pid)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->all[i].pid == pid)
			return &c->all[i];
	ASSERT(c->n < FORKS_MAX);
	c->all[c->n] = (struct traced){ .pid = pid };
	return &c->all[c->n++];
}

/* The kernel stops a call at its entry and at its end. */
static void stopped(struct count *c, pid_t pid, int status)
{
	struct traced *t = find(c, pid);
	int sig = WSTOPSIG(status);

	t->stops += sig == (SIGTRAP | 0x80);
	if (status >> 16 || sig == (SIGTRAP | 0x80) || sig == SIGSTOP)
		sig = 0;
	(void)ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)sig);
}

/* Only processes that we trace, and that have not been waited for. */
static void end_rest(const struct count *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->all[i].pid > 1)
			(void)kill(c->all[i].pid, SIGKILL);
}

static void gone(struct count *c, pid_t pid, int status)
{
	if (pid == c->first) {
		c->status = status;
		c->ended = true;
	}
	find(c, pid)->pid = 0;
}

static void follow(struct count *c)
{
	unsigned int asleep_ms = 0;
	int status;

	for (;;) {
		pid_t pid = waitpid(-1, &status, __WALL | (c->ended ? WNOHANG : 0));

		if (pid < 0)
			return;
		if (pid == 0) {
			usleep(10000);
			asleep_ms += 10;
			if (asleep_ms >= ASLEEP_MS)
				end_rest(c);
			continue;
		}
		asleep_ms = 0;
		if (WIFSTOPPED(status))
			stopped(c, pid, status);
		else
			gone(c, pid, status);
	}
}

static int trace(struct count *c, struct err *err)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;

	if (ptrace(PTRACE_SETOPTIONS, c->first, NULL, (void *)(intptr_t)options) < 0 ||
	    ptrace(PTRACE_SYSCALL, c->first, NULL, NULL) < 0)
		return err_sys(err, ERR_IO, "trace");
	follow(c);
	return 0;
}

/* --- the program ----------------------------------------------------------------------------- */

/* Away from the numbers that are given; takes @fd. */
static int move_up(int fd)
{
	int up = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 32);

	close(fd);
	return up;
}

/* What crossarch-prepare is given, on descriptors of its numbers; *@ret is the end to read. */
static int give_prepare(const char *bundle, int *ret, struct err *err)
{
	const struct prepare_request r = { .id = "counted", .bundle = bundle };
	CLEANUP_FD int dir = move_up(open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	CLEANUP_FD int request = -1;
	CLEANUP_FD int report = -1;

	if (dir < 0)
		return err_sys(err, ERR_IO, "open %s", bundle);
	if (request_memfd(&r, &request, err) < 0 || fd_pipe(ret, &report, 0, err) < 0)
		return -1;
	*ret = move_up(*ret);
	report = move_up(report);
	request = move_up(request);
	if (dup2(report, FD_REPORT) < 0 || dup2(dir, FD_BUNDLE) < 0 ||
	    dup2(request, FD_REQUEST) < 0)
		return err_sys(err, ERR_IO, "give a descriptor");
	return 0;
}

static const char *verdict_of(int from)
{
	static const char *const names[] = { "none", "native", "emulate", "refuse" };
	static uint8_t bytes[3 * sizeof(struct report)];
	static struct report report;
	struct err err;
	size_t n = 0;
	ssize_t got;

	close(FD_REPORT);
	while ((got = read(from, bytes + n, sizeof(bytes) - n)) > 0)
		n += (size_t)got;
	if (report_decode_last(bytes, n, &report, &err) < 0)
		return "unreadable";
	if (report.verdict == VERDICT_NONE)
		fprintf(stderr, "counted: %s\n", report.err.text);
	return names[report.verdict];
}

static _Noreturn void become(char **argv, bool traced)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
	    (!traced || (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 && raise(SIGSTOP) == 0)))
		execv(argv[0], argv);
	fprintf(stderr, "counted: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static int run(struct count *c, char **argv, bool traced, struct err *err)
{
	c->first = fork();
	if (c->first == 0)
		become(argv, traced);
	if (c->first < 0 || waitpid(c->first, &c->status, WUNTRACED) < 0)
		return err_sys(err, ERR_IO, "run %s", argv[0]);
	if (WIFSTOPPED(c->status) && trace(c, err) < 0)
		return -1;
	if (!WIFEXITED(c->status) || WEXITSTATUS(c->status))
		return err_set(err, ERR_IO, "%s ended with wait status 0x%x", argv[0], c->status);
	return 0;
}

static unsigned int sum(const struct count *c)
{
	unsigned int calls = 0;

	for (size_t i = 0; i < c->n; i++)
		calls += (c->all[i].stops + 1) / 2;
	return calls;
}

static int usage(void)
{
	fputs("usage: counted calls|nothing BUNDLE PROGRAM ARGUMENT...\n"
	      "Prints how many. BUNDLE \"-\": the program is not crossarch-prepare, whose verdict "
	      "is "
	      "printed as well.\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	bool calls = argc >= 4 && str_eq(argv[1], "calls");
	bool prepares = argc >= 4 && !str_eq(argv[2], "-");
	struct count c = { .status = -1 };
	struct err err;
	int from = -1;

	if (argc < 4 || (!calls && !str_eq(argv[1], "nothing")))
		return usage();
	if ((prepares && give_prepare(argv[2], &from, &err) < 0) ||
	    run(&c, argv + 3, calls, &err) < 0) {
		fprintf(stderr, "counted: %s\n", err.text);
		return 1;
	}
	printf("%u %s\n", sum(&c), prepares ? verdict_of(from) : "-");
	return 0;
}
