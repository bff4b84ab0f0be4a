/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/mem.h"
#include "shim/loop/child.h"

/* Children: no exit is lost, none is attributed to another, orphans go. */

struct fixture {
	struct loop loop;
	struct reaper reaper;
	struct timer stop;
	unsigned int exits, wanted;
	uint32_t sum;
};

struct waited {
	struct child child;
	struct fixture *f;
};

static void on_stop(struct timer *t)
{
	container_of(t, struct fixture, stop)->loop.quit = true;
}

static void run_for(struct fixture *f, unsigned int ms)
{
	struct err err;

	f->loop.quit = false;
	timer_arm(&f->stop, &f->loop, MS_TO_NS(ms));
	assert_int_equal(loop_run(&f->loop, &err), 0);
}

#define PATIENCE_MS 60000 /* how long a slow machine may take */

/* Until so many exits were told. */
static void run_until_exits(struct fixture *f, unsigned int exits)
{
	f->wanted = exits;
	if (f->exits < exits)
		run_for(f, PATIENCE_MS);
	timer_disarm(&f->stop);
	assert_int_equal(f->exits, exits);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err;

	assert_non_null(f);
	assert_int_equal(loop_init(&f->loop, &err), 0);
	assert_int_equal(reaper_init(&f->reaper, &f->loop, &err), 0);
	f->stop.on_fire = on_stop;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	reaper_deinit(&f->reaper);
	timer_disarm(&f->stop);
	loop_deinit(&f->loop);
	free(f);
	return 0;
}

static void on_exit_count(struct child *c, const struct exit_status *status)
{
	struct waited *w = container_of(c, struct waited, child);

	/* the zombie is still there: its pid cannot be anybody else's */
	assert_int_equal(kill(c->pid, 0), 0);
	if (++w->f->exits == w->f->wanted)
		w->f->loop.quit = true;
	w->f->sum += status->code;
	free(w);
}

static struct waited *waited_new(struct fixture *f)
{
	struct waited *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->f = f;
	return w;
}

static void test_exit_codes(void **state)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)"exit 7", NULL };
	char *const killed[] = { (char *)"sh", (char *)"-c", (char *)"kill -9 $$", NULL };
	struct spawn what = { .path = "sh", .argv = argv };
	struct fixture *f = *state;
	struct err err;

	assert_int_equal(child_spawn(&waited_new(f)->child, &f->reaper, &what, on_exit_count, &err),
			 0);
	what.argv = killed;
	assert_int_equal(child_spawn(&waited_new(f)->child, &f->reaper, &what, on_exit_count, &err),
			 0);
	run_until_exits(f, 2);
	assert_int_equal(f->sum, 7 + 128 + SIGKILL);
}

static void test_missing_program(void **state)
{
	char *const argv[] = { (char *)"x", NULL };
	struct spawn what = { .path = "/nonexistent/x", .argv = argv };
	struct fixture *f = *state;
	struct waited *w = waited_new(f);
	struct err err;

	assert_int_equal(child_spawn(&w->child, &f->reaper, &what, on_exit_count, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_string_equal(err.text, "start /nonexistent/x: No such file or directory");
	free(w);
}

/* The pid an engine would report: a grandchild that may be dead before we are told. */
static pid_t orphan(int code)
{
	int p[2];
	pid_t pid, child;

	assert_int_equal(pipe(p), 0);
	child = fork();
	if (child == 0) {
		pid = fork();
		if (pid == 0)
			_exit(code);
		if (write(p[1], &pid, sizeof(pid)) != sizeof(pid))
			_exit(1);
		_exit(0);
	}
	assert_int_equal(read(p[0], &pid, sizeof(pid)), sizeof(pid));
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(p[0]);
	close(p[1]);
	return pid;
}

static void test_dead_before_known(void **state)
{
	struct fixture *f = *state;
	struct err err;

	for (unsigned int i = 0; i < 200; i++) {
		pid_t pid;

		reaper_hold(&f->reaper);
		pid = orphan(42);
		if (i % 20 == 0)
			run_for(f, 2); /* the hold keeps it through any sweep */
		assert_int_equal(
			child_watch(&waited_new(f)->child, &f->reaper, pid, on_exit_count, &err),
			0);
		reaper_release(&f->reaper);
	}
	run_until_exits(f, 200);
	assert_int_equal(f->sum, 200 * 42);
}

/* Living or dead, and left as it is. */
static bool has_child(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static void test_unknown_orphans_are_reaped(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 20; i++)
		(void)orphan(1);
	for (unsigned int ms = 0; ms < PATIENCE_MS && has_child(); ms += 20)
		run_for(f, 20);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static int slow(void *arg)
{
	usleep(20000);
	return *(int *)arg;
}

static void test_fork(void **state)
{
	struct fixture *f = *state;
	int code = 3;
	struct err err;

	assert_int_equal(
		child_fork(&waited_new(f)->child, &f->reaper, slow, &code, on_exit_count, &err), 0);
	run_until_exits(f, 1);
	assert_int_equal(f->sum, 3);
}

static int endless(void *arg)
{
	(void)arg;
	pause();
	return 0;
}

/* Nothing is left of it, and nobody is told. */
static void test_end(void **state)
{
	struct fixture *f = *state;
	struct child *c = &waited_new(f)->child;
	struct err err;

	assert_int_equal(child_fork(c, &f->reaper, endless, NULL, on_exit_count, &err), 0);
	child_end(c, 5000);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	child_end(c, 5000);
	run_for(f, 20);
	assert_int_equal(f->exits, 0);
}

/* The child's view: exactly the mapped descriptors, default signals, no blocked signal. */
static void test_spawn_map(void **state)
{
	char *const argv[] = { (char *)"sh", (char *)"-c",
			       (char *)"ls /proc/self/fd | tr '\\n' ' '; "
				       "grep -h SigBlk /proc/self/status | cut -f2",
			       NULL };
	int p[2], noise = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct spawn_fd map[] = { { -1, 7 }, { -1, 1 } };
	struct spawn what = { .path = "sh", .argv = argv, .fds = map, .n_fds = 2 };
	struct fixture *f = *state;
	char text[256] = "";
	struct err err;

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	map[1].from = p[1];
	assert_int_equal(child_spawn(&waited_new(f)->child, &f->reaper, &what, on_exit_count, &err),
			 0);
	run_until_exits(f, 1);
	assert_true(read(p[0], text, sizeof(text) - 1) > 0);
	/* 3 is ls's own directory */
	assert_string_equal(text, "0 1 2 3 7 0000000000000000\n");
	close(p[0]);
	close(p[1]);
	close(noise);
}

/* In a process of its own: which signals end it, and how. */
static int survive(const int *signals, size_t n)
{
	struct fixture *f;
	struct err err;

	if (setup((void **)&f) < 0)
		_exit(1);
	for (size_t i = 0; i < n; i++)
		kill(getpid(), signals[i]);
	f->loop.quit = false;
	timer_arm(&f->stop, &f->loop, MS_TO_NS(20));
	if (loop_run(&f->loop, &err) < 0)
		_exit(2);
	_exit(timer_armed(&f->stop) ? 3 : 0); /* 3: told to end before the time was over */
}

static int status_of_signals(const int *signals, size_t n)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid)
		survive(signals, n);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* What the stock shim survives, and what could be sent by mistake. */
static void test_signals_that_mean_nothing(void **state)
{
	static const int none[] = { SIGHUP,    SIGQUIT, SIGUSR1,  SIGUSR2, SIGPIPE,
				    SIGALRM,   SIGCHLD, SIGCONT,  SIGTSTP, SIGTTIN,
				    SIGTTOU,   SIGURG,	SIGXCPU,  SIGXFSZ, SIGPROF,
				    SIGVTALRM, SIGIO,	SIGWINCH, SIGPWR,  SIGSTKFLT };
	static const int ends[] = { SIGTERM, SIGINT };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		assert_int_equal(status_of_signals(&none[i], 1), 0);
	assert_int_equal(status_of_signals(none, ARRAY_SIZE(none)), 0);
	for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
		assert_int_equal(status_of_signals(&sig, 1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		assert_int_equal(status_of_signals(&ends[i], 1), 3);
	assert_int_equal(status_of_signals(&(int){ SIGTRAP }, 1), -SIGTRAP);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_exit_codes),
		T(test_missing_program),
		T(test_dead_before_known),
		T(test_unknown_orphans_are_reaped),
		T(test_fork),
		T(test_end),
		T(test_spawn_map),
		cmocka_unit_test(test_signals_that_mean_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
