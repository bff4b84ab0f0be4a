/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lookup on captured texts, then the rest on a real cgroup of our own, made in every hierarchy
 * this host has. Those tests are skipped where we may not make one.
 */
#include "tests/unit/cgroup_bench.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int parse(struct cgroup *cg, const char *members, const char *mounts, struct err *err)
{
	struct buf p = BUF_INIT(4096), m = BUF_INIT(4096);
	FILE *pf, *mf;
	int r;

	assert_int_equal(buf_printf(&p, err, "%s", members), 0);
	assert_int_equal(buf_printf(&m, err, "%s", mounts), 0);
	pf = fmemopen(p.data, p.len, "r");
	mf = fmemopen(m.data, m.len, "r");
	r = cgroup_parse(cg, pf, mf, err);
	fclose(pf);
	fclose(mf);
	buf_deinit(&p);
	buf_deinit(&m);
	return r;
}

/* A hybrid host; cpu and cpuacct share a hierarchy, and memory is mounted a second time. */
static void test_parse_v1(void **state)
{
	static const char members[] = "12:pids:/k8s.io/abc\n"
				      "7:memory:/k8s.io/abc\n"
				      "4:cpu,cpuacct:/k8s.io/abc\n"
				      "3:perf_event:/k8s.io/abc\n"
				      "2:rdma:/\n"
				      "1:name=systemd:/k8s.io/sys:temd\n"
				      "0::/\n";
	static const char mounts[] =
		"31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
		"32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:1 - cgroup cgroup "
		"rw,cpu,cpuacct\n"
		"35 31 0:32 / /sys/fs/cgroup/me\\040mory rw - cgroup cgroup rw,memory\n"
		"36 31 0:32 / /other/memory rw - cgroup cgroup rw,memory\n"
		"39 31 0:36 /k8s.io /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
		"40 31 0:37 / /sys/fs/cgroup/rdma rw - cgroup cgroup rw,rdma\n"
		"41 31 0:38 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
		"42 31 0:39 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
	struct cgroup cg;
	struct err err;

	(void)state;
	assert_int_equal(parse(&cg, members, mounts, &err), 0);
	assert_false(cg.unified);
	assert_string_equal(cgroup_dir(&cg, CGROUP_CPU), "/sys/fs/cgroup/cpu,cpuacct/k8s.io/abc");
	assert_string_equal(cgroup_dir(&cg, CGROUP_CPUACCT),
			    "/sys/fs/cgroup/cpu,cpuacct/k8s.io/abc");
	assert_string_equal(cgroup_dir(&cg, CGROUP_MEMORY), "/sys/fs/cgroup/me mory/k8s.io/abc");
	assert_string_equal(cgroup_dir(&cg, CGROUP_PIDS), "/sys/fs/cgroup/pids/abc");
	assert_string_equal(cgroup_dir(&cg, CGROUP_SYSTEMD),
			    "/sys/fs/cgroup/systemd/k8s.io/sys:temd");
	assert_null(cgroup_dir(&cg, CGROUP_RDMA));
	assert_null(cgroup_dir(&cg, CGROUP_UNIFIED));
	assert_null(cgroup_dir(&cg, CGROUP_DEVICES));
	cgroup_deinit(&cg);
	cgroup_deinit(&cg);
}

static void test_parse_v2(void **state)
{
	struct cgroup cg;
	struct err err;

	(void)state;
	assert_int_equal(parse(&cg, "0::/kubepods/pod1/c\n",
			       "25 1 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup rw,nsdelegate\n",
			       &err),
			 0);
	assert_true(cg.unified);
	assert_string_equal(cgroup_dir(&cg, CGROUP_MEMORY), "/sys/fs/cgroup/kubepods/pod1/c");
	assert_string_equal(cgroup_dir(&cg, CGROUP_UNIFIED), "/sys/fs/cgroup/kubepods/pod1/c");
	assert_null(cgroup_dir(&cg, CGROUP_SYSTEMD));
	cgroup_deinit(&cg);
}

/* Where the last part has another name it is another cgroup. */
static void test_go_up(void **state)
{
	static const char members[] = "7:memory:/pods/pod1/abc\n"
				      "4:cpuset:/system/shim\n"
				      "3:pids:/pods/pod1/xabc\n"
				      "2:cpu:/pods/pod1/abc\n";
	static const char mounts[] = "35 31 0:32 / /cg/memory rw - cgroup cgroup rw,memory\n"
				     "36 31 0:33 / /cg/cpuset rw - cgroup cgroup rw,cpuset\n"
				     "37 31 0:34 / /cg/pids rw - cgroup cgroup rw,pids\n"
				     "38 31 0:35 /pods/pod1 /cg/cpu rw - cgroup cgroup rw,cpu\n";
	struct cgroup cg, none = { .dirs = NULL };
	struct err err;

	(void)state;
	assert_int_equal(parse(&cg, members, mounts, &err), 0);
	cgroup_go_up(&cg, "abc");
	assert_string_equal(cgroup_dir(&cg, CGROUP_MEMORY), "/cg/memory/pods/pod1");
	assert_string_equal(cgroup_dir(&cg, CGROUP_CPU), "/cg/cpu");
	assert_null(cgroup_dir(&cg, CGROUP_CPUSET));
	assert_null(cgroup_dir(&cg, CGROUP_PIDS));
	cgroup_go_up(&cg, "nothing");
	assert_null(cgroup_dir(&cg, CGROUP_MEMORY));
	cgroup_deinit(&cg);
	cgroup_go_up(&none, "abc");
	assert_null(cgroup_dir(&none, CGROUP_MEMORY));
}

/* The root of a hierarchy is the host: never a container's. */
static void test_parse_nothing(void **state)
{
	static const char mounts[] = "1 0 0:1 /a /m rw - cgroup c rw,memory\n"
				     "broken\n- - -\n1 2 3 - cgroup\n";
	static const char *const members[] = {
		"0::/\n5:memory:/\n", "5:memory:/ab\n", "5:memory:a\n", "5:memory\n", "\n", "::::\n"
	};
	struct cgroup cg;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		assert_int_equal(parse(&cg, members[i], mounts, &err), -1);
		assert_int_equal(err.code, ERR_NOT_FOUND);
		assert_null(cg.dirs);
	}
	assert_int_equal(cgroup_open(&cg, INT32_MAX, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

/* --- a real one --------------------------------------------------------------------------- */

struct real {
	char name[64];
	bool made;
	int talk;  /* to the process in it */
	pid_t pid; /* which has a child of its own after a word from us */
	struct cgroup cg;
};

static _Noreturn void be_family(int talk)
{
	char c;

	if (read(talk, &c, 1) != 1 || fork() < 0 || write(talk, &c, 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static int setup(void **state)
{
	struct real *r = calloc(1, sizeof(*r));
	int pair[2];

	assert_non_null(r);
	str_fmt(r->name, sizeof(r->name), "/crossarch-unit-%d", (int)getpid());
	*state = r;
	r->made = each_hierarchy("mkdir", r->name) == 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (!r->pid)
		be_family(pair[1]);
	close(pair[1]);
	r->talk = pair[0];
	return 0;
}

static void end_family(struct real *r)
{
	pid_t *pids = NULL;
	size_t n = 0;
	struct err err;

	kill(r->pid, SIGKILL);
	if (r->cg.dirs && cgroup_pids(&r->cg, &pids, &n, &err) == 0)
		for (size_t i = 0; i < n; i++)
			kill(pids[i], SIGKILL);
	free(pids);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static int teardown(void **state)
{
	struct real *r = *state;

	end_family(r);
	close(r->talk);
	cgroup_deinit(&r->cg);
	each_hierarchy("rmdir", r->name);
	free(r);
	return 0;
}

/* Joins, and has the process make its child. */
static void populate(struct real *r)
{
	struct err err = ERR_INIT;
	char c = 'x';

	if (!r->made)
		skip();
	if (cgroup_join(r->name, r->pid, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(write(r->talk, &c, 1), 1);
	assert_int_equal(read(r->talk, &c, 1), 1);
	if (cgroup_open(&r->cg, r->pid, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(r->cg.unified, cgroup_host_is_v2());
}

static void test_join_and_list(void **state)
{
	struct real *r = *state;
	pid_t *pids;
	size_t n;
	struct err err;

	populate(r);
	assert_non_null(cgroup_dir(&r->cg, CGROUP_MEMORY));
	assert_true(str_ends(cgroup_dir(&r->cg, CGROUP_MEMORY), r->name));
	assert_int_equal(cgroup_pids(&r->cg, &pids, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_true(pids[0] == r->pid || pids[1] == r->pid);
	free(pids);
}

/* A process in a cgroup below the container's is one of the container's. */
static void test_list_below(void **state)
{
	struct real *r = *state;
	char below[128];
	pid_t *pids;
	size_t n;
	struct err err;

	if (!r->made)
		skip();
	str_fmt(below, sizeof(below), "%s/a/b", r->name);
	assert_int_equal(each_hierarchy("mkdir -p", below), 0);
	populate(r);
	assert_int_equal(cgroup_join(below, r->pid, &err), 0);
	assert_int_equal(cgroup_pids(&r->cg, &pids, &n, &err), 0);
	assert_int_equal(n, 2);
	free(pids);
	end_family(r);
	assert_int_equal(each_hierarchy("rmdir", below), 0);
	str_fmt(below, sizeof(below), "%s/a", r->name);
	assert_int_equal(each_hierarchy("rmdir", below), 0);
}

static void test_list_nothing(void **state)
{
	struct real *r = *state;
	pid_t *pids;
	size_t n;
	struct err err;

	populate(r);
	end_family(r);
	assert_int_equal(cgroup_pids(&r->cg, &pids, &n, &err), 0);
	assert_int_equal(n, 0);
	free(pids);
	assert_int_equal(each_hierarchy("rmdir", r->name), 0);
	assert_int_equal(cgroup_pids(&r->cg, &pids, &n, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void test_join_refusals(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(cgroup_join("relative", getpid(), &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(cgroup_join("/a/../b", getpid(), &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(cgroup_join("/crossarch-nobody-made-this", getpid(), &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_v1),
		cmocka_unit_test(test_parse_v2),
		cmocka_unit_test(test_parse_nothing),
		cmocka_unit_test(test_go_up),
		cmocka_unit_test_setup_teardown(test_join_and_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list_below, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list_nothing, setup, teardown),
		cmocka_unit_test(test_join_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
