/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is killed and removed after a container, and what never is: names that only look like the
 * container's. The cgroups are real ones of our own; skipped where we may not make one.
 */
#include "tests/unit/cgroup_bench.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "shim/task/engine_record.h"

/* --- by name ------------------------------------------------------------------------------ */

static void test_names(void **state)
{
	static const struct {
		const char *path, *id;
		bool systemd, own;
	} names[] = {
		{ "/ns/abc", "abc", false, true },
		{ "/kubepods/burstable/pod1/abc", "abc", false, true },
		{ "/abc", "abc", false, true },
		{ "/x/shared-tenant", "t", false, false },
		{ "/x/abcd", "abc", false, false },
		{ "/x/abc", "abcd", false, false },
		{ "/x/xabc", "abc", false, false },
		{ "/x/my-abc", "abc", false, false },
		{ "/x/abc-1", "abc", false, false },
		{ "/x/abc/sub", "abc", false, false },
		{ "/x/abc/", "abc", false, false },
		{ "/x/ABC", "abc", false, false },
		{ "", "abc", false, false },
		{ "/", "abc", false, false },
		{ "abc", "abc", false, false },
		{ "/x/../abc", "abc", false, false },
		{ "/x//abc", "abc", false, false },
		/* systemd's units: a scope is a container's, a slice is for many */
		{ "/a.slice/a-b.slice/cri-containerd-abc.scope", "abc", true, true },
		{ "/system.slice/docker-abc.scope", "abc", true, true },
		{ "/system.slice/runc-abc.scope", "abc", true, true },
		{ "/user.slice/crun-abc.scope", "abc", true, true },
		{ "/system.slice/-abc.scope", "abc", true, true },
		{ "/system.slice/a-b-c.scope", "b-c", true, true },
		{ "/system.slice/cri-containerd-abcd.scope", "abc", true, false },
		{ "/system.slice/cri-containerd-xabc.scope", "abc", true, false },
		{ "/system.slice/cri-containerd-abc.scope.d", "abc", true, false },
		{ "/system.slice/cri-containerd-abc.service", "abc", true, false },
		{ "/system.slice/cri-containerd-abc-1.scope", "abc", true, false },
		{ "/system.slice/session-t.scope", "t", false, false },
		{ "/system.slice/abcscope", "abc", true, false },
		{ "/system.slice", "system.slice", false, false },
		{ "/a.slice/a-abc.slice", "abc", true, false },
		{ "/a.slice/a-abc.slice", "a-abc.slice", true, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (cgroup_is_of(names[i].path, names[i].id, names[i].systemd) != names[i].own)
			fail_msg("%s of %s", names[i].path, names[i].id);
}

/* --- real ones ---------------------------------------------------------------------------- */

struct real {
	char top[64]; /* ours, in every hierarchy */
	char bundle[64];
	pid_t pids[4];
	size_t n;
};

static int setup(void **state)
{
	struct real *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	str_fmt(r->top, sizeof(r->top), "/crossarch-unit-%d", (int)getpid());
	strcpy(r->bundle, "/tmp/crossarch-test.XXXXXX");
	assert_non_null(mkdtemp(r->bundle));
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct real *r = *state;
	char command[96];

	for (size_t i = 0; i < r->n; i++)
		kill(r->pids[i], SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	each_hierarchy("f() { find \"$1\" -depth -type d -exec rmdir {} + ; }; f", r->top);
	str_fmt(command, sizeof(command), "rm -rf %s", r->bundle);
	assert_int_equal(system(command), 0);
	free(r);
	return 0;
}

/* A process in the cgroup @name below ours, which is made. */
static pid_t populate(struct real *r, const char *name, char ret_path[160])
{
	struct err err = ERR_INIT;
	pid_t pid;

	str_fmt(ret_path, 160, "%s%s", r->top, name);
	if (each_hierarchy("mkdir -p", ret_path) != 0)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	while (!pid)
		pause();
	r->pids[r->n++] = pid;
	if (cgroup_join(ret_path, pid, &err) < 0)
		fail_msg("%s", err.text);
	return pid;
}

/* Only after its end can it be reaped. */
static bool lives(pid_t pid)
{
	siginfo_t si = { .si_pid = 0 };

	assert_int_equal(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT), 0);
	return !si.si_pid;
}

static bool is_there(const char *path)
{
	return each_hierarchy("test -d", path) == 0;
}

static void write_record(struct real *r, const char *path, bool systemd)
{
	const struct engine engine = { "/usr/sbin/runc", "/run/crossarch-unit", systemd };
	struct err err;

	assert_int_equal(engine_record_write(r->bundle, &engine, path, &err), 0);
}

/* The container's own, with what it made inside. */
static void test_own(void **state)
{
	struct real *r = *state;
	char path[160], below[160];
	pid_t outer, inner;

	str_fmt(path, sizeof(path), "%s/abc", r->top);
	write_record(r, path, false);
	outer = populate(r, "/abc", path);
	inner = populate(r, "/abc/made/inside", below);
	engine_record_sweep(r->bundle, "abc");
	assert_false(lives(outer));
	assert_false(lives(inner));
	assert_false(is_there(path));
}

static void test_own_scope(void **state)
{
	struct real *r = *state;
	char path[160];
	pid_t pid;

	str_fmt(path, sizeof(path), "%s/x.slice/cri-containerd-abc.scope", r->top);
	write_record(r, path, true);
	pid = populate(r, "/x.slice/cri-containerd-abc.scope", path);
	engine_record_sweep(r->bundle, "abc");
	assert_false(lives(pid));
	assert_false(is_there(path));
	str_fmt(path, sizeof(path), "%s/x.slice", r->top);
	assert_true(is_there(path));
}

/* A cgroup that many share, with the id somewhere in its name. */
static void test_look_alike(void **state)
{
	static const char *const names[] = { "/shared-tenant", "/t-shared", "/xt",
					     "/session-t.scope" };
	struct real *r = *state;
	char path[160];
	pid_t pid;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		str_fmt(path, sizeof(path), "%s%s", r->top, names[i]);
		write_record(r, path, false);
		pid = populate(r, names[i], path);
		engine_record_sweep(r->bundle, "t");
		assert_true(lives(pid));
		assert_true(is_there(path));
	}
}

/* The name is the container's, but somebody was there before our engine ran. */
static void test_taken_before(void **state)
{
	struct real *r = *state;
	char path[160], below[160];
	pid_t pid;

	pid = populate(r, "/a.slice/session-t.scope", path);
	write_record(r, path, true);
	engine_record_sweep(r->bundle, "t");
	assert_true(lives(pid));
	assert_true(is_there(path));
	pid = populate(r, "/t/below", below);
	str_fmt(path, sizeof(path), "%s/t", r->top);
	write_record(r, path, false);
	engine_record_sweep(r->bundle, "t");
	assert_true(lives(pid));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test_setup_teardown(test_own, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_scope, setup, teardown),
		cmocka_unit_test_setup_teardown(test_look_alike, setup, teardown),
		cmocka_unit_test_setup_teardown(test_taken_before, setup, teardown),
	};

	return cmocka_run_group_tests_name("cgroup_remove", tests, NULL, NULL);
}
