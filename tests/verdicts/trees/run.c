/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "runtime/base/fd.h"
#include "runtime/prepare/request.h"
#include "tests/verdicts/trees/trees.h"

/* Nothing of this may take so long; whoever does dies of SIGALRM, which survives execve(). */
#define SECONDS_MAX 20

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t nanoseconds(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u;
}

/* --- a container's init: a process with the tree as its root --------------------------------- */

static pid_t init_start(const struct tree *t)
{
	pid_t pid = t->root < 0 ? -1 : fork();

	if (pid)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fchdir(t->root) < 0 || chroot(".") < 0 || chdir("/") < 0)
		_exit(1);
	for (;;)
		pause();
}

static void init_stop(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* The child still has our root until it says otherwise. */
static void init_wait(pid_t pid, const struct tree *t)
{
	char path[64];
	struct stat want, is;

	(void)str_fmt(path, sizeof(path), "/proc/%d/root", (int)pid);
	ASSERT(fstat(t->root, &want) == 0);
	for (int i = 0; i < 2000; i++) {
		if (stat(path, &is) == 0 && is.st_ino == want.st_ino && is.st_dev == want.st_dev)
			return;
		usleep(1000);
	}
}

/* --- somebody who changes the tree while it is read ------------------------------------------- */

struct racer {
	pthread_t thread;
	const struct tree *tree;
	atomic_bool stop;
};

static void *race(void *arg)
{
	struct racer *r = arg;

	while (!atomic_load(&r->stop)) {
		(void)renameat2(r->tree->root, "swap", r->tree->root, "other", RENAME_EXCHANGE);
		(void)renameat2(r->tree->root, "bin", r->tree->root, "nib", RENAME_EXCHANGE);
	}
	return NULL;
}

static void race_start(struct racer *r, const struct tree *t)
{
	r->tree = t;
	atomic_init(&r->stop, false);
	ASSERT(pthread_create(&r->thread, NULL, race, r) == 0);
}

static void race_stop(struct racer *r)
{
	atomic_store(&r->stop, true);
	ASSERT(pthread_join(r->thread, NULL) == 0);
}

/* --- prepare ---------------------------------------------------------------------------------- */

static int request_make(const struct tree *t, const char *mode, pid_t init)
{
	CLEANUP_BUF struct buf text = BUF_INIT(8u << 20);
	struct prepare_request r = { .id = "tree", .bundle = t->path };
	int fd = memfd_create("request", MFD_CLOEXEC);
	struct err err;

	if (!str_eq(mode, "create"))
		r.process = buf_str(&t->process);
	if (str_eq(mode, "exec"))
		r.init_pid = (uint64_t)init;
	if (str_eq(mode, "after"))
		r.exit_status = t->number % 2 ? 127 : 126;
	ASSERT(fd >= 0 && request_encode(&r, &text, &err) == 0);
	ASSERT(fd_write_all(fd, text.data, text.len) == 0);
	return fd;
}

/* The numbers above 10 are out of the way of those that are laid out. */
static int high(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 10);

	close(fd);
	ASSERT(copy >= 0);
	return copy;
}

static void child(const char *program, const char *mode, const int fds[6], bool traced)
{
	char *argv[] = { (char *)(uintptr_t)program, (char *)(uintptr_t)mode, NULL };

	for (int i = 0; i < 6; i++)
		if (dup2(fds[i], i) < 0)
			_exit(120);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(SECONDS_MAX);
	if (traced && ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(121);
	if (traced)
		(void)raise(SIGSTOP);
	execv(program, argv);
	_exit(122);
}

static void read_results(int report, int complaints, struct outcome *ret)
{
	struct report *r = &ret->report;
	uint8_t bytes[3 * sizeof(*r)];
	ssize_t n = read(report, bytes, sizeof(bytes)), m;
	struct err err;

	ret->reported = n > 0 && report_decode_last(bytes, (size_t)n, r, &err) == 0;
	m = pread(complaints, ret->complaint, sizeof(ret->complaint) - 1, 0);
	ret->complaint[m > 0 ? m : 0] = '\0';
}

static void run_once(const struct tree *t, const char *program, const char *mode, bool traced,
		     int request, struct outcome *ret)
{
	CLEANUP_FD int null = high(open("/dev/null", O_RDWR | O_CLOEXEC));
	CLEANUP_FD int complaints = high(memfd_create("stderr", MFD_CLOEXEC));
	CLEANUP_FD int bundle = high(openat(t->bundle, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	CLEANUP_FD int r = -1;
	CLEANUP_FD int w = -1;
	struct rusage used = { .ru_maxrss = 0 };
	uint64_t begin;
	struct err err;
	pid_t pid;

	ASSERT(fd_pipe(&r, &w, O_NONBLOCK, &err) == 0);
	w = high(fd_steal(&w));
	begin = now_ns();
	pid = fork();
	ASSERT(pid >= 0);
	if (!pid)
		child(program, mode, (int[]){ null, null, complaints, w, bundle, request }, traced);
	if (traced)
		observe(pid, t, ret);
	else
		ASSERT(wait4(pid, &ret->status, 0, &used) == pid);
	ret->ns = now_ns() - begin;
	ret->cpu_ns = nanoseconds(used.ru_utime) + nanoseconds(used.ru_stime);
	read_results(r, complaints, ret);
}

void run_prepare(struct tree *t, const char *program, const char *mode, bool observe_it,
		 struct outcome *ret)
{
	pid_t init = t->init = str_eq(mode, "exec") ? init_start(t) : 0;
	CLEANUP_FD int request = high(request_make(t, mode, init));
	struct racer racer;

	memset(ret, 0, sizeof(*ret));
	if (init > 0)
		init_wait(init, t);
	if (t->racing)
		race_start(&racer, t);
	run_once(t, program, mode, observe_it, request, ret);
	if (t->racing)
		race_stop(&racer);
	init_stop(init);
}
