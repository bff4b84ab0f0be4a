/* SPDX-License-Identifier: Apache-2.0 */
/* In a mount namespace of our own; skipped where we cannot have one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "runtime/base/mem.h"
#include "runtime/base/mountinfo.h"
#include "runtime/base/str.h"
#include "shim/host/unmount.h"

static int setup(void **state)
{
	static char dir[64];

	strcpy(dir, "/tmp/crossarch test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	*state = dir;
	return 0;
}

static int teardown(void **state)
{
	char command[96];

	str_fmt(command, sizeof(command), "rm -rf '%s'", (const char *)*state);
	return system(command);
}

static void own_namespace(void)
{
	if (unshare(CLONE_NEWNS) < 0)
		skip();
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
}

static const char *below(void **state, const char *name)
{
	static char paths[4][128];
	static unsigned int next;
	char *p = paths[next++ % 4];

	str_fmt(p, sizeof(paths[0]), "%s/%s", (const char *)*state, name);
	return p;
}

static const char *mount_at(const char *path)
{
	assert_true(mkdir(path, 0755) == 0 || access(path, F_OK) == 0);
	assert_int_equal(mount("none", path, "tmpfs", 0, "size=1m"), 0);
	return path;
}

static int count_mounts(const char *dir)
{
	CLEANUP_FILE FILE *f = fopen("/proc/self/mountinfo", "r");
	char line[4096];
	struct mountinfo m;
	int n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (mountinfo_parse(line, &m) && path_below(m.point, dir))
			n++;
	return n;
}

/* Stacked twice, with mounts inside; a neighbour with the same beginning of its name stays. */
static void test_nested(void **state)
{
	own_namespace();
	mount_at(below(state, "rootfs-2"));
	mount_at(below(state, "rootfs"));
	mount_at(below(state, "rootfs/a b"));
	mount_at(below(state, "rootfs"));
	mount_at(below(state, "rootfs/a"));
	mount_at(below(state, "rootfs/a/b"));
	mount_at(below(state, "rootfs/c"));
	assert_int_equal(count_mounts(below(state, "rootfs")), 6);
	assert_int_equal(rootfs_unmount(below(state, "rootfs")), 0);
	assert_int_equal(count_mounts(below(state, "rootfs")), 0);
	assert_int_equal(count_mounts(below(state, "rootfs-2")), 1);
	assert_int_equal(rootfs_unmount(below(state, "rootfs")), 0);
	assert_int_equal(rootfs_unmount(below(state, "rootfs-2")), 0);
}

static void test_nothing_there(void **state)
{
	assert_int_equal(rootfs_unmount(below(state, "missing")), 0);
	assert_int_equal(rootfs_unmount(below(state, "missing/too")), 0);
	assert_int_not_equal(rootfs_unmount("/"), 0);
	assert_int_not_equal(rootfs_unmount("relative"), 0);
}

/* Somebody's file is open there: it stays busy, and is told; once closed it works. */
static void test_busy(void **state)
{
	int fd;

	own_namespace();
	mount_at(below(state, "rootfs"));
	fd = open(below(state, "rootfs/file"), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(rootfs_unmount(below(state, "rootfs")), 1);
	close(fd);
	assert_int_equal(rootfs_unmount(below(state, "rootfs")), 0);
	assert_int_equal(count_mounts(below(state, "rootfs")), 0);
}

/* The path goes through a symbolic link, as /var/run does on many hosts. */
static void test_through_link(void **state)
{
	own_namespace();
	assert_int_equal(mkdir(below(state, "real"), 0755), 0);
	assert_int_equal(symlink("real", below(state, "link")), 0);
	mount_at(below(state, "real/rootfs"));
	assert_int_equal(rootfs_unmount(below(state, "link/rootfs")), 0);
	assert_int_equal(count_mounts(below(state, "real/rootfs")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nested, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_busy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_through_link, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
