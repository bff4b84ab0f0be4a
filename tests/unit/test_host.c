/* SPDX-License-Identifier: Apache-2.0 */
/* What the task asks of the node, on a real cgroup of our own; skipped where we may not make one.
 */
#include "tests/unit/cgroup_bench.h"

#include <signal.h>
#include <sys/wait.h>

#include "shim/host/metrics.h"
#include "shim/task/events.h"
#include "shim/task/task_cgroup.h"

struct fixture {
	char path[64];
	bool made;
	struct loop loop;
	struct events events;
	struct context context;
	struct task task;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err;

	assert_non_null(f);
	str_fmt(f->path, sizeof(f->path), "/crossarch-unit-%d", (int)getpid());
	f->made = each_hierarchy("mkdir", f->path) == 0;
	assert_int_equal(loop_init(&f->loop, &err), 0);
	f->context.loop = &f->loop;
	f->context.events = &f->events;
	f->task.context = &f->context;
	f->task.id = f->path;
	events_init(&f->events, &f->loop, "", "ns"); /* nobody takes them */
	f->task.init.pid = fork();
	assert_true(f->task.init.pid >= 0);
	while (!f->task.init.pid)
		pause();
	*state = f;
	return 0;
}

static void end_init(struct fixture *f)
{
	kill(f->task.init.pid, SIGKILL);
	waitpid(f->task.init.pid, NULL, 0);
	f->task.init.exited = true;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	task_cgroup_close(&f->task);
	end_init(f);
	each_hierarchy("rmdir", f->path);
	events_deinit(&f->events);
	loop_deinit(&f->loop);
	free(f);
	return 0;
}

static void watch(struct fixture *f)
{
	struct err err = ERR_INIT;

	if (!f->made)
		skip();
	if (cgroup_join(f->path, f->task.init.pid, &err) < 0)
		fail_msg("%s", err.text);
	task_cgroup_open(&f->task);
	assert_non_null(f->task.host);
}

static int stats(struct fixture *f, struct err *err)
{
	struct buf out = BUF_INIT(METRICS_MAX);
	const char *type = NULL;
	int rc = task_cgroup_stats(&f->task, &out, &type, err);

	if (rc == 0)
		assert_true(out.len > 0 && strstr(type, ".Metrics"));
	buf_deinit(&out);
	return rc;
}

/* Until it is deleted, a container that has ended has its cgroup, and that its figures. */
static void test_stats_of_the_dead(void **state)
{
	struct fixture *f = *state;
	struct err err;

	watch(f);
	assert_int_equal(stats(f, &err), 0);
	end_init(f);
	task_cgroup_process_exited(&f->task);
	assert_int_equal(stats(f, &err), 0);
	assert_int_equal(each_hierarchy("rmdir", f->path), 0);
	assert_int_equal(stats(f, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

/* systemd removes a scope as soon as the last process has left it. */
static void test_stats_of_a_scope(void **state)
{
	struct fixture *f = *state;
	struct err err;

	f->task.systemd_cgroup = true;
	watch(f);
	end_init(f);
	task_cgroup_process_exited(&f->task);
	assert_int_equal(each_hierarchy("rmdir", f->path), 0);
	task_cgroup_process_exited(&f->task); /* of an exec */
	assert_int_equal(stats(f, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stats_of_the_dead, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stats_of_a_scope, setup, teardown),
	};

	return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
