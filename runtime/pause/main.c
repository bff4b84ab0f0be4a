/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crossarch-pause: holds the namespaces of a pod that has no pause container, and does nothing
 * else.
 *
 *   --net PATH             the pod's network namespace
 *   --new-net              one of its own
 *   --uts --ipc --pid      namespaces of its own
 *   --hostname NAME        of its UTS namespace
 *   --user                 in the user namespace that owns the network namespace
 *   --sysctl NAME=VALUE    in these namespaces
 *   --try-sysctl NAME=VALUE    the same, if it can be had
 *
 * Descriptor 3 gets the process id of who holds them and a newline, or the reason why nobody does.
 * It ends with the process that started it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/pause/idle.h"
#include "runtime/pause/pod_namespaces.h"
#include "runtime/pause/pod_sysctl.h"

#define FD_ANSWER 3
#define SYSCTLS_MAX 256
#define STACK_SIZE (64 << 10)

struct wish {
	struct pod_namespaces namespaces;
	struct sysctl {
		char *text;
		bool must;
	} sysctls[SYSCTLS_MAX];
	size_t n_sysctls;
};

static int parse(int argc, char **argv, struct wish *ret, struct err *err)
{
	static const struct option options[] = {
		{ "net", required_argument, NULL, 'n' },
		{ "new-net", no_argument, NULL, 'N' },
		{ "uts", no_argument, NULL, 't' },
		{ "hostname", required_argument, NULL, 'h' },
		{ "ipc", no_argument, NULL, 'i' },
		{ "pid", no_argument, NULL, 'p' },
		{ "user", no_argument, NULL, 'u' },
		{ "sysctl", required_argument, NULL, 's' },
		{ "try-sysctl", required_argument, NULL, 'S' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'n':
			ret->namespaces.net = optarg;
			break;
		case 'N':
			ret->namespaces.new_net = true;
			break;
		case 't':
			ret->namespaces.uts = true;
			break;
		case 'h':
			ret->namespaces.hostname = optarg;
			break;
		case 'i':
			ret->namespaces.ipc = true;
			break;
		case 'p':
			ret->namespaces.pid = true;
			break;
		case 'u':
			ret->namespaces.user = true;
			break;
		case 's':
		case 'S':
			if (ret->n_sysctls == SYSCTLS_MAX)
				return err_set(err, ERR_LIMIT, "more than %d kernel parameters",
					       SYSCTLS_MAX);
			ret->sysctls[ret->n_sysctls++] = (struct sysctl){ optarg, option == 's' };
			break;
		default:
			return err_set(err, ERR_INVALID, "unknown argument %.80s",
				       argv[optind - 1]);
		}
	if (optind < argc)
		return err_set(err, ERR_INVALID, "unknown argument %.80s", argv[optind]);
	return 0;
}

static int set_sysctls(void *arg, struct err *err)
{
	struct wish *w = arg;

	for (size_t i = 0; i < w->n_sysctls; i++) {
		char *name = w->sysctls[i].text, *equals = strchr(name, '=');

		if (!equals)
			return err_set(err, ERR_INVALID, "--sysctl %.80s has no value", name);
		*equals = '\0';
		if (pod_sysctl_set(name, equals + 1, &w->namespaces, err) < 0 && w->sysctls[i].must)
			return -1;
	}
	return 0;
}

static _Noreturn void fail(const struct err *err)
{
	if (dprintf(FD_ANSWER, "%s", err->text) < 0)
		fprintf(stderr, "crossarch-pause: %s\n", err->text);
	_exit(1);
}

/*
 * Written last: when it is read the namespaces are held. If the shim ended before it could be told
 * apart from another parent, nobody reads, and writing fails.
 */
static _Noreturn void hold(pid_t pid)
{
	struct err err;
	char text[32];
	sigset_t all;

	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)prctl(PR_SET_NAME, "crossarch-pause", 0, 0, 0);
	(void)str_fmt(text, sizeof(text), "%d\n", (int)pid);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) {
		err_sys(&err, ERR_IO, "end with the shim");
		fail(&err);
	}
	if (idle_drop_privileges(&err) < 0)
		fail(&err);
	if (fd_write_all(FD_ANSWER, text, strlen(text)) < 0)
		_exit(1);
	(void)close_range(0, ~0U, 0);
	idle();
}

/* Takes the two ends of a pipe: its own number comes from there. */
static int be_first(void *arg)
{
	const int *pipe_fds = arg;
	pid_t own;

	close(pipe_fds[1]);
	if (read(pipe_fds[0], &own, sizeof(own)) != sizeof(own))
		_exit(1);
	hold(own);
}

/*
 * The first process of the PID namespace is a sibling, so that the shim is its parent, and learns
 * from here what its number is outside. It has a copy of our memory.
 */
static int begin_pid_namespace(struct err *err)
{
	/* Not on our own stack, whose every page would be touched and kept. */
	char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	int pipe_fds[2];
	pid_t pid;

	if (stack == MAP_FAILED)
		return err_sys(err, ERR_NOMEM, "memory for the first process of the pod");
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_sys(err, ERR_IO, "pipe");
	pid = clone(be_first, stack + STACK_SIZE, CLONE_PARENT | SIGCHLD, pipe_fds);
	if (pid < 0)
		return err_sys(err, ERR_IO, "start the first process of the pod");
	if (fd_write_all(pipe_fds[1], &pid, sizeof(pid)) < 0)
		return err_sys(err, ERR_IO, "tell the first process of the pod its number");
	return 0;
}

int main(int argc, char **argv)
{
	struct wish w = { .n_sysctls = 0 };
	struct err err = ERR_INIT;

	if (parse(argc, argv, &w, &err) == 0 &&
	    pod_namespaces_make(&w.namespaces, set_sysctls, &w, &err) == 0) {
		if (!w.namespaces.pid)
			hold(getpid());
		/* At once: what a process does at its end, it would do in that namespace. */
		if (begin_pid_namespace(&err) == 0)
			_exit(0);
	}
	fail(&err);
}
