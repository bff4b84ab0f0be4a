/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "runtime/cli/subprocess.h"

/* Programs that end, that do not, and that are not let to. */

static struct subprocess_result run(const char *path, char *const *argv, unsigned int timeout_ms)
{
	const struct subprocess r = {
		.path = path, .argv = argv, .keep_fd = -1, .timeout_ms = timeout_ms
	};
	struct subprocess_result result;
	struct err err;

	assert_int_equal(subprocess_run(&r, &result, &err), 0);
	return result;
}

static void ends(void **state)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)"exit 7", NULL };
	char *const killed[] = { (char *)"sh", (char *)"-c", (char *)"kill -9 $$", NULL };
	struct subprocess_result r = run("/bin/sh", argv, 60000);

	(void)state;
	assert_int_equal(r.end, SUBPROCESS_EXITED);
	assert_int_equal(r.value, 7);
	r = run("/bin/sh", killed, 60000);
	assert_int_equal(r.end, SUBPROCESS_KILLED);
	assert_int_equal(r.value, SIGKILL);
	r = run("/nonexistent/x", argv, 60000);
	assert_int_equal(r.end, SUBPROCESS_REFUSED);
}

static void does_not_end(void **state)
{
	char *const argv[] = { (char *)"sleep", (char *)"1000", NULL };

	(void)state;
	assert_int_equal(run("/bin/sleep", argv, 50).end, SUBPROCESS_TIMEOUT);
}

/* The first processor that this process may use. */
static int some_processor(void)
{
	cpu_set_t set;
	int cpu = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	while (!CPU_ISSET(cpu, &set))
		cpu++;
	return cpu;
}

/* A process that never rests, on that processor alone. */
static pid_t start_busy(int cpu)
{
	pid_t pid = fork();

	if (pid == 0) {
		cpu_set_t set;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		(void)sched_setaffinity(0, sizeof(set), &set);
		for (volatile int i = 0;; i++)
			continue;
	}
	return pid;
}

/* The busy process gets a thousand times as much of the processor as an idle one. */
static void others_have_the_processor(void **state)
{
	int cpu = some_processor();
	char number[16];
	char *const argv[] = { (char *)"taskset", (char *)"-c", number,	      (char *)"chrt",
			       (char *)"-i",	  (char *)"0",	(char *)"sh", (char *)"-c",
			       (char *)"exit 7",  NULL };
	pid_t busy = start_busy(cpu);
	struct subprocess_result r;

	(void)state;
	(void)str_fmt(number, sizeof(number), "%d", cpu);
	assert_true(busy > 0);
	r = run("/usr/bin/taskset", argv, 100);
	kill(busy, SIGKILL);
	waitpid(busy, NULL, 0);
	assert_int_equal(r.end, SUBPROCESS_EXITED);
	assert_int_equal(r.value, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends),
		cmocka_unit_test(does_not_end),
		cmocka_unit_test(others_have_the_processor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
