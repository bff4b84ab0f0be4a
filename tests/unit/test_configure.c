/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/prepare/configure.h"

static const struct {
	const char *path, *cgroup; /* NULL: cannot be said */
} paths[] = {
	{ "", "" },
	{ "/k8s.io/abc", "/k8s.io/abc" },
	{ "relative/abc", "" },
	{ "/two\nlines", NULL },
	{ "system.slice:runc:abc", "/system.slice/runc-abc.scope" },
	{ "a-b-c.slice:cri-containerd:abc",
	  "/a.slice/a-b.slice/a-b-c.slice/cri-containerd-abc.scope" },
	{ "noslice:cri:abc", NULL },
	{ ":cri:abc", NULL },
	{ "a.slice:b:c:d", "" }, /* no form of systemd's */
};

static void test_cgroup(void **state)
{
	char got[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		bool known = configure_cgroup(paths[i].path, got, sizeof(got));

		assert_int_equal(known, paths[i].cgroup != NULL);
		if (known)
			assert_string_equal(got, paths[i].cgroup);
	}
	assert_false(configure_cgroup("a-b-c-d-e-f-g-h.slice:cri:abc", got, sizeof(got)));
	assert_false(configure_cgroup(
		"/a-path-of-more-than-sixty-three-characters-which-does-not-fit-here", got,
		sizeof(got)));
}

/* --- an engine that is our shim --------------------------------------------------------------- */

struct engines {
	char dir[64], bin[80], real[96], shim[96];
};

static void make_program(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_EXCL, 0755);

	assert_true(fd >= 0);
	close(fd);
}

static int make_engines(void **state)
{
	static struct engines e;

	strcpy(e.dir, "/tmp/test_configure.XXXXXX");
	assert_non_null(mkdtemp(e.dir));
	(void)str_fmt(e.bin, sizeof(e.bin), "%s/bin", e.dir);
	(void)str_fmt(e.real, sizeof(e.real), "%s/runc", e.bin);
	(void)str_fmt(e.shim, sizeof(e.shim), "%s/containerd-shim-crossarch-v2", e.bin);
	assert_int_equal(mkdir(e.bin, 0755), 0);
	make_program(e.real);
	make_program(e.shim);
	*state = &e;
	return 0;
}

static int remove_engines(void **state)
{
	struct engines *e = *state;
	char command[128];

	(void)str_fmt(command, sizeof(command), "rm -rf %s", e->dir);
	return system(command);
}

/* True when @wanted was taken for our shim; what runs is then the real engine, else @wanted. */
static bool is_passed_over(const struct engines *e, const char *wanted)
{
	struct err err = ERR_INIT;
	bool was_shim;
	char got[128];

	assert_int_equal(configure_engine(wanted, e->bin, got, sizeof(got), &was_shim, &err), 0);
	assert_string_equal(got, was_shim ? e->real : wanted);
	return was_shim;
}

static void test_engine_is_shim(void **state)
{
	const struct engines *e = *state;
	char other[96], copy[128], dir[96];

	assert_false(is_passed_over(e, e->real));
	assert_true(is_passed_over(e, e->shim));
	(void)str_fmt(other, sizeof(other), "%s/soft", e->dir);
	assert_int_equal(symlink(e->shim, other), 0);
	assert_true(is_passed_over(e, other));
	(void)str_fmt(other, sizeof(other), "%s/hard", e->dir);
	assert_int_equal(link(e->shim, other), 0);
	assert_true(is_passed_over(e, other));
	/* The same through another directory, and another file of that name. */
	(void)str_fmt(other, sizeof(other), "%s/bin/../bin/containerd-shim-crossarch-v2", e->dir);
	assert_true(is_passed_over(e, other));
	(void)str_fmt(dir, sizeof(dir), "%s/old", e->dir);
	assert_int_equal(mkdir(dir, 0755), 0);
	(void)str_fmt(copy, sizeof(copy), "%s/containerd-shim-crossarch-v2", dir);
	make_program(copy);
	assert_true(is_passed_over(e, copy));
}

/* The program that started this one is the shim in real life, whatever it is called. */
static void test_engine_is_parent(void **state)
{
	char parent[64], path[256] = "";

	(void)str_fmt(parent, sizeof(parent), "/proc/%d/exe", getppid());
	assert_true(readlink(parent, path, sizeof(path) - 1) > 0);
	assert_true(is_passed_over(*state, path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cgroup),
		cmocka_unit_test_setup_teardown(test_engine_is_shim, make_engines, remove_engines),
		cmocka_unit_test_setup_teardown(test_engine_is_parent, make_engines,
						remove_engines),
	};

	return cmocka_run_group_tests_name("configure", tests, NULL, NULL);
}
