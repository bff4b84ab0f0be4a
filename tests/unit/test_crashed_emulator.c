/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts of /proc as kernel 6.18 wrote them about qemu-aarch64 7.2, 10.0 and 11.1, and processes
 * that do what qemu-user does.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/mem.h"
#include "shim/host/crashed_emulator.h"

struct row {
	const char *what;
	uint64_t blocked, ignored, caught;
	int signal;
};

static const struct row rows[] = {
	/* the dead */
	{ "7.2 SEGV", 0xfffffffe7ffbfaff, 0, 0xffffffff7780faff, SIGSEGV },
	{ "7.2 ABRT", 0xfffffffe7ffbfedf, 0, 0xffffffff7780fedf, SIGABRT },
	{ "7.2 FPE", 0xfffffffe7ffbfe7f, 0, 0xffffffff7780fe7f, SIGFPE },
	{ "7.2 TRAP", 0xfffffffe7ffbfeef, 0, 0xffffffff7780feef, SIGTRAP },
	{ "7.2 ILL", 0xfffffffe7ffbfef7, 0, 0xffffffff7780fef7, SIGILL },
	{ "7.2 BUS", 0xfffffffe7ffbfebf, 0, 0xffffffff7780febf, SIGBUS },
	{ "7.2 TERM", 0xfffffffe7ffbbeff, 0, 0xffffffff7780beff, SIGTERM },
	{ "7.2, real time", 0xfffffdfe7ffbfeff, 0, 0xfffffdff7780feff, 42 },
	{ "10.0, 11.1 SEGV", 0xfffffffe7ffbfaff, 2, 0x00000007000000dc, SIGSEGV },
	{ "10.0, 11.1 ABRT", 0xfffffffe7ffbfedf, 2, 0x00000007000004dc, SIGABRT },
	{ "10.0, 11.1 FPE", 0xfffffffe7ffbfe7f, 2, 0x000000070000045c, SIGFPE },
	{ "10.0, 11.1 TRAP", 0xfffffffe7ffbfeef, 2, 0x00000007000004cc, SIGTRAP },
	{ "10.0, 11.1 BUS", 0xfffffffe7ffbfebf, 2, 0x000000070000049c, SIGBUS },
	{ "10.0, 11.1 TERM", 0xfffffffe7ffbbeff, 2, 0x00000007000004dc, SIGTERM },
	{ "built with musl", 0xfffffffc7ffbfaff, 0, 0x0000000c000000dc, SIGSEGV },
	{ "two of two threads", 0xfffffffe7ffbfaff, 0, 0x00000007000000d4, SIGSEGV },
	/* what programs do themselves */
	{ "7.2, all but SEGV", 0xfffffff87ffbfaff, 0, 0xffffffff7780feff, 0 },
	{ "7.2, all but ABRT", 0xfffffff87ffbfedf, 0, 0xffffffff7780feff, 0 },
	{ "7.2, all", 0xfffffff87ffbfeff, 0, 0xffffffff7780feff, 0 },
	{ "7.2, all but TERM, ignored", 0xfffffff87ffbbeff, 0x4000, 0xffffffff7780beff, 0 },
	{ "7.2, at work", 0, 0, 0xffffffff7780feff, 0 },
	{ "10.0, all but SEGV", 0xffffffe47ffbfadf, 2, 0x00000007000004dc, 0 },
	{ "10.0, all but ABRT", 0xffffffe07ffbfedf, 2, 0x00000007000004dc, 0 },
	{ "10.0, all but TERM", 0xffffffe47ffbbedf, 2, 0x00000007000004dc, 0 },
	{ "10.0, all", 0xffffffe47ffbfedf, 2, 0x00000007000004dc, 0 },
	{ "qemu's own second thread", 0xfffffffe7ffbfa77, 0, 0xffffffff7780faff, 0 },
	{ "all but CHLD", 0xfffffffe7ffafeff, 0, 0x00000007000004dc, 0 },
	{ "no emulator, all but SEGV", 0xfffffffe7ffbfaff, 0, 0, 0 },
	/* 8.2 to 9.2, all: the one mask that is not enough, for which there is the other fact */
	{ "9.2, all", 0xfffffffe7ffbfedf, 0, 0x00000002000004dc, SIGABRT },
};

static void status_of(const struct row *r, char *text, size_t size)
{
	snprintf(text, size,
		 "Name:\tSigBlk:\\n\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t27690\n"
		 "Groups:\t0 1 2 \nThreads:\t2\nSigQ:\t0/15716\nSigPnd:\t0000000000000000\n"
		 "ShdPnd:\t0000000000000000\nSigBlk:\t%016llx\nSigIgn:\t%016llx\n"
		 "SigCgt:\t%016llx\nCapInh:\t0000000000000000\nCapPrm:\t000001ffffffffff\n",
		 (unsigned long long)r->blocked, (unsigned long long)r->ignored,
		 (unsigned long long)r->caught);
}

static void test_status(void **state)
{
	char text[1024];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		status_of(&rows[i], text, sizeof(text));
		if (crashed_signal(text) != rows[i].signal)
			fail_msg("%s: %d", rows[i].what, crashed_signal(text));
	}
}

static void test_damaged_status(void **state)
{
	char text[1024];

	(void)state;
	status_of(&rows[0], text, sizeof(text));
	assert_true(crashed_some_thread(text));
	for (size_t n = strlen(text); n--;) {
		int signal;

		text[n] = '\0';
		signal = crashed_signal(text);
		assert_true(signal == 0 || (signal == SIGSEGV && strstr(text, "SigCgt:\t")));
	}
	assert_false(crashed_some_thread(text));
	assert_int_equal(crashed_signal("\nSigBlk:\tx\nSigIgn:\t0\nSigCgt:\t0\n"), 0);
	assert_int_equal(
		crashed_signal("\nSigBlk:\tffffffffffffffffffff\nSigIgn:\t0\nSigCgt:\t0\n"), 0);
}

static void test_some_thread(void **state)
{
	char text[1024];
	static const struct row seen[] = {
		{ "7.2 TRAP in a thread", 0, 0, 0xffffffff7780feef, 1 },
		{ "10.0 SEGV in a thread", 0, 2, 0x00000017000000dc, 1 },
		{ "7.2", 0, 0, 0xffffffff7780feff, 0 },
		{ "10.0", 0, 2, 0x00000007000004dc, 0 },
		{ "10.0, QUIT ignored", 0, 6, 0x00000007000004d8, 0 },
		{ "10.0, ABRT in a thread", 0, 2, 0x00000017000004dc, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		status_of(&seen[i], text, sizeof(text));
		if (crashed_some_thread(text) != seen[i].signal)
			fail_msg("%s", seen[i].what);
	}
}

#if defined(__x86_64__)
static void test_call(void **state)
{
	static const char *const dead[] = {
		"130 0x7fff396cab38 0x8 0x0 0x8 0x0 0x7fff396c8896 0x7fff396cab00 0x7f5b45bf63b1\n",
		"130 0x7ffe7b8d2b28 0x8 0x0 0x0 0x0 0x0 0x7ffe7b8d2ab8 0x7f9dbfaf1fde\n",
		"130 0x7f0818601d58 0x8 0x0 0x0 0x0 0x0 0x7f0818601cd8 0x7f0817b8d00e\n",
	};
	static const char *const alive[] = {
		"130 0x55557754a448 0x8 0x7fca592ceab8 0xfffffffe7fffffff 0x2d 0x38 "
		"0x7ffe17972db0 0x7fca58e2bef6\n",
		"130 0x5555609fb078 0x8 0x0 0xfffffffe7fffffff 0x7f446ced3aa0 0x7ffcc11c52cc "
		"0x7ffcc11c4f90 0x7f446c2fdccd\n",
		"130 0x7ffe7b8d2ab0 0x8 0x0 0x0 0x0 0x0 0x7ffe7b8d2ab8 0x7f9dbfaf1fde\n",
		"271 0x7ffe7b8d2b28 0x8 0x0 0x0 0x0 0x0 0x7ffe7b8d2ab8 0x7f9dbfaf1fde\n",
		"130 0x7ffe7b8d2b28 0x8 0x0 0x0 0x0 0x0 0x7ffe7b8d2ab8",
		"130 0x7ffe7b8d2b28 0x8 0x0 0x0 0x0 0x0",
		"-1 0x7ffe7b8d2ab8 0x7f9dbfaf1fde\n",
		"running\n",
		"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(dead); i++)
		assert_true(crashed_waits(dead[i]));
	for (size_t i = 0; i < ARRAY_SIZE(alive); i++)
		if (crashed_waits(alive[i]))
			fail_msg("%s", alive[i]);
}
#endif

/* --- processes ------------------------------------------------------------------------------ */

static void nothing(int sig)
{
	(void)sig;
}

/* As qemu-user does, or as a program of its: by where the mask is. */
static void sleep_as(bool on_stack)
{
	static const int caught[] = { SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGQUIT };
	sigset_t here, *there = malloc(sizeof(*there));

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		signal(caught[i], nothing);
	signal(SIGBUS, SIG_DFL);
	sigfillset(&here);
	sigdelset(&here, SIGBUS);
	*there = here;
	sigsuspend(on_stack ? &here : there);
	_exit(0);
}

static pid_t sleeper(bool on_stack)
{
	const struct timespec moment = { 0, 1000000 };
	struct crashed_emulator c;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		sleep_as(on_stack);
	while (!crashed_look(pid, false, &c))
		nanosleep(&moment, NULL);
	assert_int_equal(c.pid, pid);
	assert_int_equal(c.tid, pid);
	assert_int_equal(c.signal, SIGBUS);
	return pid;
}

static void end(pid_t pid)
{
	struct crashed_emulator c;

	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_false(crashed_look(pid, true, &c));
	assert_int_equal(crashed_clock(pid), 0);
}

static void test_dead(void **state)
{
	pid_t pid = sleeper(true);
	struct crashed_emulator c = { pid, pid, SIGBUS }, other = { pid, pid, SIGSEGV };

	(void)state;
	assert_int_equal(crashed_prove(&c), SIGBUS);
	assert_int_equal(crashed_prove(&other), 0);
	assert_true(crashed_clock(pid) > 0);
	assert_false(crashed_is_emulator(pid));
	end(pid);
	assert_int_equal(crashed_prove(&c), 0);
}

static void test_alive(void **state)
{
	pid_t pid = sleeper(false);
	struct crashed_emulator c = { pid, pid, SIGBUS };

	(void)state;
	assert_int_equal(crashed_prove(&c), 0);
	end(pid);
}

static void test_ourselves(void **state)
{
	struct crashed_emulator c;

	(void)state;
	assert_false(crashed_look(getpid(), true, &c));
	assert_true(crashed_clock(getpid()) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_damaged_status),
		cmocka_unit_test(test_some_thread),
#if defined(__x86_64__)
		cmocka_unit_test(test_call),
#endif
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_alive),
		cmocka_unit_test(test_ourselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
