/* SPDX-License-Identifier: Apache-2.0 */
/*
 * v2 on a directory that plays a cgroup (inotify does not care), v1 on a real one with a process
 * that needs more than it may have; skipped where we may not make one.
 */
#include "tests/unit/cgroup_bench.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "shim/host/oom.h"

struct watched {
	struct loop loop;
	struct timer alarm;
	struct oom oom;
	int told;
	bool free_in_callback;
};

static void on_oom(struct oom *oom)
{
	struct watched *w = container_of(oom, struct watched, oom);

	w->told++;
	if (w->free_in_callback)
		oom_deinit(oom);
	w->loop.quit = true;
}

static void on_alarm(struct timer *t)
{
	(void)t;
	fail_msg("no OOM event");
}

/* Ends one turn of the loop that is expected to tell nothing. */
static void on_turn(struct timer *t)
{
	container_of(t, struct watched, alarm)->loop.quit = true;
}

static void watched_init(struct watched *w)
{
	struct err err;

	*w = (struct watched){ .oom = OOM_INIT };
	assert_int_equal(loop_init(&w->loop, &err), 0);
}

static void watched_deinit(struct watched *w)
{
	oom_deinit(&w->oom);
	oom_deinit(&w->oom);
	assert_int_equal(w->oom.fd, -1);
	assert_int_equal(w->oom.dir, -1);
	timer_disarm(&w->alarm);
	loop_deinit(&w->loop);
}

static void run(struct watched *w, void (*on_fire)(struct timer *), uint64_t ns)
{
	struct err err;

	w->alarm.on_fire = on_fire;
	timer_arm(&w->alarm, &w->loop, ns);
	w->loop.quit = false;
	assert_int_equal(loop_run(&w->loop, &err), 0);
	timer_disarm(&w->alarm);
}

static void test_v2(void **state)
{
	struct fake_cgroup f;
	struct watched w;
	struct err err;

	(void)state;
	watched_init(&w);
	fake_cgroup_init(&f, true);
	fake_cgroup_file(&f, "memory.events", "max 7\noom 1\noom_kill 1\n");
	assert_int_equal(oom_watch(&w.oom, &w.loop, &f.cg, on_oom, &err), 0);
	fake_cgroup_file(&f, "memory.events", "max 9\noom 1\noom_kill 1\n");
	run(&w, on_turn, MS_TO_NS(1));
	assert_int_equal(w.told, 0);
	fake_cgroup_file(&f, "memory.events", "max 9\noom 2\noom_kill 2\n");
	run(&w, on_alarm, S_TO_NS(30));
	assert_int_equal(w.told, 1);
	w.free_in_callback = true;
	fake_cgroup_file(&f, "memory.events", "max 9\noom 2\noom_kill 5\noom_group_kill 0\n");
	run(&w, on_alarm, S_TO_NS(30));
	assert_int_equal(w.told, 2);
	watched_deinit(&w);
	fake_cgroup_deinit(&f);
}

/* What is asked before the loop gets to it is told once. */
static void test_check(void **state)
{
	struct fake_cgroup f;
	struct watched w;
	struct err err;

	(void)state;
	watched_init(&w);
	oom_check(&w.oom);
	fake_cgroup_init(&f, true);
	fake_cgroup_file(&f, "memory.events", "oom_kill 1\n");
	assert_int_equal(oom_watch(&w.oom, &w.loop, &f.cg, on_oom, &err), 0);
	oom_check(&w.oom);
	assert_int_equal(w.told, 0);
	fake_cgroup_file(&f, "memory.events", "oom_kill 2\n");
	oom_check(&w.oom);
	assert_int_equal(w.told, 1);
	run(&w, on_turn, MS_TO_NS(1));
	assert_int_equal(w.told, 1);
	watched_deinit(&w);
	oom_check(&w.oom);
	fake_cgroup_deinit(&f);
}

/* No memory.events: the root, or a kernel without the controller. */
static void test_unavailable(void **state)
{
	struct fake_cgroup f;
	struct watched w;
	struct err err;

	(void)state;
	for (int unified = 0; unified < 2; unified++) {
		watched_init(&w);
		fake_cgroup_init(&f, unified);
		assert_int_equal(oom_watch(&w.oom, &w.loop, &f.cg, on_oom, &err), -1);
		watched_deinit(&w);
		fake_cgroup_deinit(&f);
	}
}

/* --- v1 ----------------------------------------------------------------------------------- */

#define LIMIT "4194304"

static bool put(const char *dir, const char *name, const char *text)
{
	CLEANUP_FD int d = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int fd = openat(d, name, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0;
}

/* Memory only, as cgroup_parse() would see it. */
static bool make_v1(char dir[96], struct cgroup *cg)
{
	char members[128], mounts[] = "1 0 0:1 / /sys/fs/cgroup/memory rw - cgroup c rw,memory\n";
	FILE *p, *m;
	struct err err;

	str_fmt(dir, 96, "/sys/fs/cgroup/memory/crossarch-unit-%d", (int)getpid());
	if (cgroup_host_is_v2() || mkdir(dir, 0755) < 0)
		return false;
	str_fmt(members, sizeof(members), "1:memory:%s\n", strrchr(dir, '/'));
	p = fmemopen(members, strlen(members), "r");
	m = fmemopen(mounts, strlen(mounts), "r");
	assert_int_equal(cgroup_parse(cg, p, m, &err), 0);
	fclose(p);
	fclose(m);
	return put(dir, "memory.limit_in_bytes", LIMIT);
}

static _Noreturn void be_greedy(const char *dir)
{
	size_t n = (size_t)64 << 20;
	char pid[16], *p;

	str_fmt(pid, sizeof(pid), "%d", (int)getpid());
	if (!put(dir, "cgroup.procs", pid))
		_exit(1);
	p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* Not mlock(): sanitizers make that do nothing. */
	if (p == MAP_FAILED || syscall(SYS_mlock, p, n) < 0)
		_exit(2);
	_exit(3);
}

static void test_v1(void **state)
{
	struct cgroup cg = { .dirs = NULL };
	struct watched w;
	struct err err = ERR_INIT;
	char dir[96];
	int status;
	pid_t pid;

	(void)state;
	if (!make_v1(dir, &cg)) {
		rmdir(dir);
		cgroup_deinit(&cg);
		skip();
	}
	watched_init(&w);
	if (oom_watch(&w.oom, &w.loop, &cg, on_oom, &err) < 0)
		fail_msg("%s", err.text);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		be_greedy(dir);
	run(&w, on_alarm, S_TO_NS(30));
	assert_int_equal(w.told, 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	run(&w, on_turn, MS_TO_NS(1));
	w.told = 0;
	assert_int_equal(rmdir(dir), 0);
	run(&w, on_turn, MS_TO_NS(100));
	assert_int_equal(w.told, 0);
	watched_deinit(&w);
	cgroup_deinit(&cg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v2),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_unavailable),
		cmocka_unit_test(test_v1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
