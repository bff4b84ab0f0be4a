/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/kernel_waits.h"

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/cgroup_rejoin.h"
#include "runtime/base/fd.h"

#define ROUNDS 7

/* Longer than a grace period: after it the next writer waits again. */
#define PAUSE_MS 100

/* Any directory will do: what is mounted is seen by the child alone. */
#define POINT "/proc"

static unsigned int microseconds_since(const struct timespec *begin)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned int)((now.tv_sec - begin->tv_sec) * 1000000 +
			      (now.tv_nsec - begin->tv_nsec) / 1000);
}

static void take_a_pause(void)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };

	(void)nanosleep(&pause, NULL);
}

static bool unmount_once(void)
{
	return umount2(POINT, 0) == 0;
}

static unsigned int took(bool (*what)(void))
{
	struct timespec begin;

	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	return what() ? microseconds_since(&begin) : 0;
}

static int compare(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	return (x > y) - (x < y);
}

static unsigned int median(unsigned int *list)
{
	qsort(list, ROUNDS, sizeof(*list), compare);
	return list[ROUNDS / 2];
}

static void measure(struct kernel_waits *ret)
{
	unsigned int moves[ROUNDS] = { 0 }, unmounts[ROUNDS] = { 0 };
	bool own =
		unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;

	for (int i = 0; i < ROUNDS; i++) {
		take_a_pause();
		moves[i] = took(cgroup_rejoin);
		if (own && mount("tmpfs", POINT, "tmpfs", 0, NULL) == 0)
			unmounts[i] = took(unmount_once);
	}
	ret->move = median(moves);
	ret->unmount = median(unmounts);
}

int kernel_waits_measure(struct kernel_waits *ret, struct err *err)
{
	CLEANUP_FD int in = -1;
	CLEANUP_FD int out = -1;
	bool told;
	pid_t pid;

	*ret = (struct kernel_waits){ 0 };
	if (fd_pipe(&in, &out, 0, err) < 0)
		return -1;
	pid = fork();
	if (pid < 0)
		return err_sys(err, ERR_IO, "fork");
	if (pid == 0) {
		struct kernel_waits w;

		measure(&w);
		_exit(write(out, &w, sizeof(w)) != (ssize_t)sizeof(w));
	}
	fd_close(&out);
	told = read(in, ret, sizeof(*ret)) == (ssize_t)sizeof(*ret);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return told ? 0 : err_set(err, ERR_IO, "the process that measures ended early");
}
