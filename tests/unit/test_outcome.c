/* SPDX-License-Identifier: Apache-2.0 */
/* The lines in the log about what became of a container: their level, and what stands in which
 * field. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/str.h"
#include "shim/task/outcome.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"
#define ABOUT                                                                  \
	" runtime=io.containerd.crossarch.v2 namespace=k8s.io sandbox_id=pod " \
	"id=c1 "
#define TRACED "trace_id=" TRACE " span_id=" SPAN " "

struct fixture {
	int fd, stderr_fd;
	char line[8192];
	struct context context;
	struct task task;
	struct process exec;
	struct operation op;
	struct report report;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int ends[2];

	assert_non_null(f);
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	f->fd = ends[0];
	f->stderr_fd = dup(STDERR_FILENO);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	close(ends[1]);
	f->context = (struct context){ .ns = "k8s.io", .sandbox = "pod" };
	f->task.context = &f->context;
	f->task.id = "c1";
	f->task.engine_path = "/usr/sbin/runc";
	f->task.init.task = f->exec.task = &f->task;
	f->exec.exec_id = "e1";
	f->exec.exit.code = 126;
	f->op.task = &f->task;
	f->op.process = &f->task.init;
	strcpy(f->op.traceparent, "00-" TRACE "-" SPAN "-01");
	report_init(&f->report);
	strcpy(f->report.guest, "linux/arm64");
	strcpy(f->report.program, "/bin/sh");
	log_set_level(LOG_INFO);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	dup2(f->stderr_fd, STDERR_FILENO);
	close(f->stderr_fd);
	close(f->fd);
	free(f);
	return 0;
}

/* What was written, from its level on; "" for nothing. */
static const char *written(struct fixture *f)
{
	ssize_t n = read(f->fd, f->line, sizeof(f->line) - 1);
	const char *level;

	f->line[n > 0 ? n : 0] = '\0';
	level = strstr(f->line, "level=");
	return level ? level : "";
}

static void test_native_is_quiet(void **state)
{
	struct fixture *f = *state;

	f->report.verdict = VERDICT_NATIVE;
	outcome_found(&f->op, &f->report);
	assert_string_equal(written(f), "");
	log_set_level(LOG_DEBUG);
	outcome_found(&f->op, &f->report);
	assert_string_equal(written(f), "level=debug msg=\"/bin/sh runs natively\"" ABOUT TRACED
					"verdict=native platform=linux/arm64 engine=/usr/sbin/runc "
					"program=/bin/sh\n");
}

static void test_emulated(void **state)
{
	struct fixture *f = *state;

	f->report.verdict = VERDICT_EMULATE;
	strcpy(f->report.handler, "qemu-aarch64");
	outcome_found(&f->op, &f->report);
	assert_string_equal(written(f),
			    "level=info msg=\"/bin/sh is linux/arm64 and runs through binfmt_misc "
			    "handler qemu-aarch64\"" ABOUT TRACED
			    "verdict=emulated platform=linux/arm64 handler=qemu-aarch64 "
			    "engine=/usr/sbin/runc program=/bin/sh\n");
}

/* There is one every few seconds for each probe. */
static void test_execs_that_run_are_quiet(void **state)
{
	struct fixture *f = *state;

	f->op.process = &f->exec;
	f->report.verdict = VERDICT_EMULATE;
	outcome_found(&f->op, &f->report);
	assert_string_equal(written(f), "");
}

static void test_warning(void **state)
{
	struct fixture *f = *state;

	f->report.verdict = VERDICT_NATIVE;
	f->report.n_warnings = 1;
	strcpy(f->report.warnings[0], "crossarch[label-mismatch]: so");
	outcome_found(&f->op, &f->report);
	assert_string_equal(written(f),
			    "level=warning msg=\"crossarch[label-mismatch]: so\"" ABOUT TRACED
			    "code=label-mismatch platform=linux/arm64 engine=/usr/sbin/runc "
			    "program=/bin/sh\n");
}

static void test_refused_exec(void **state)
{
	struct fixture *f = *state;

	f->op.process = &f->exec;
	f->op.traceparent[0] = '\0';
	f->report.verdict = VERDICT_REFUSE;
	strcpy(f->report.program, "/x\" verdict=native\n");
	outcome_refused(&f->op, "crossarch[no-emulator]: so", &f->report);
	assert_string_equal(written(f),
			    "level=warning msg=\"refused: crossarch[no-emulator]: so\"" ABOUT
			    "exec_id=e1 verdict=refused code=no-emulator platform=linux/arm64 "
			    "engine=/usr/sbin/runc program=\"/x\\\" verdict=native\\n\"\n");
	outcome_refused(&f->op, "no code", NULL);
	assert_string_equal(written(f), "level=warning msg=\"refused: no code\"" ABOUT
					"exec_id=e1 verdict=refused engine=/usr/sbin/runc\n");
}

static void test_unknown_exec(void **state)
{
	const struct err why = { .code = ERR_IO, .text = "prepare was killed" };
	struct fixture *f = *state;

	f->op.process = &f->exec;
	outcome_unknown(&f->op, &why);
	assert_string_equal(written(f),
			    "level=warning msg=\"the check of the program failed\"" ABOUT
			    "exec_id=e1 " TRACED "verdict=unknown error=\"prepare was killed\"\n");
}

/* No request brought it about. */
static void test_crashed_exec(void **state)
{
	struct fixture *f = *state;

	strcpy(f->report.code, "no-emulator");
	strcpy(f->report.line, "crossarch[no-emulator]: so");
	outcome_crashed(&f->exec, &f->report);
	assert_string_equal(
		written(f),
		"level=warning msg=\"e1 ended with 126: crossarch[no-emulator]: so\"" ABOUT
		"exec_id=e1 verdict=crashed code=no-emulator platform=linux/arm64 "
		"engine=/usr/sbin/runc program=/bin/sh\n");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_native_is_quiet), T(test_emulated),     T(test_execs_that_run_are_quiet),
		T(test_warning),	 T(test_refused_exec), T(test_unknown_exec),
		T(test_crashed_exec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
