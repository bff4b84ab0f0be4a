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

#include "runtime/base/str.h"
#include "runtime/oci/entrypoint.h"

/*
 * A root file system and a volume next to it:
 *   rootfs/bin/{sh,plain,fifo,dir}  rootfs/usr/bin/{tool,plain}  links of all sorts
 *   volume/{app,link,up}            single (a file)
 */
static char base[] = "/tmp/test-view-XXXXXX";
static int base_fd = -1;

static void make_file(const char *path, mode_t mode, const char *text)
{
	int fd = openat(base_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void make_link(const char *target, const char *path)
{
	assert_int_equal(symlinkat(target, base_fd, path), 0);
}

static int set_up(void **state)
{
	static const char *const dirs[] = { "rootfs",	      "rootfs/bin",	"rootfs/bin/dir",
					    "rootfs/usr",     "rootfs/usr/bin", "rootfs/run",
					    "rootfs/run/vol", "volume",		"volume/deep" };

	(void)state;
	if (!mkdtemp(base))
		return -1;
	base_fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		assert_int_equal(mkdirat(base_fd, dirs[i], 0755), 0);
	make_file("rootfs/bin/sh", 0755, "shell");
	make_file("rootfs/bin/plain", 0644, "");
	make_file("rootfs/usr/bin/plain", 0755, "");
	make_file("rootfs/usr/bin/tool", 0755, "tool");
	make_file("volume/app", 0755, "app!");
	make_file("volume/deep/x", 0755, "");
	make_file("outside", 0755, "secret");
	make_file("single", 0755, "one file");
	assert_int_equal(mkfifoat(base_fd, "rootfs/bin/fifo", 0755), 0);
	make_link("/bin/sh", "rootfs/bin/absolute");
	make_link("../usr/bin/tool", "rootfs/bin/relative");
	make_link("../../../../../../outside", "rootfs/bin/escape");
	make_link("loop", "rootfs/bin/loop");
	make_link("nothing", "rootfs/bin/dangling");
	make_link("/run", "rootfs/var-run");
	make_link("/var-run/vol/app", "rootfs/bin/into-volume");
	make_link("/bin/sh", "volume/link");
	make_link("../sh", "volume/up");
	make_link("/proc/self/exe", "rootfs/bin/magic");
	return 0;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	close(base_fd);
	snprintf(command, sizeof(command), "rm -rf %s", base);
	return system(command);
}

static const char *const no_options[] = { NULL };
static const char *const noexec_options[] = { "rbind", "noexec", NULL };
static struct spec_mount mounts[] = {
	{ "/proc", "proc", "proc", no_options },
	{ "/var-run/vol", "bind", "volume", no_options },
	{ "/data/new/place", "none", "volume", noexec_options },
	{ "/one", "bind", "single", no_options },
	{ "/gone", "bind", "no-such-source", no_options },
	{ "/scratch", "tmpfs", "tmpfs", no_options },
	{ "/data/new/place/deep", "bind", "rootfs/usr/bin", no_options },
};

static void open_view(struct rootfs_view *v)
{
	struct spec s = { .mounts = mounts, .n_mounts = ARRAY_SIZE(mounts) };
	struct err err;

	view_init(v, openat(base_fd, "rootfs", O_PATH | O_DIRECTORY | O_CLOEXEC));
	assert_int_equal(view_add_mounts(v, base_fd, &s, &err), 0);
}

static void paths(void **state)
{
	static const struct {
		const char *cwd, *path;
		enum found_kind kind;
		const char *resolved;
	} rows[] = {
		{ "/", "/bin/sh", FOUND_FILE, "/bin/sh" },
		{ "/bin", "sh", FOUND_FILE, "/bin/sh" },
		{ "/bin", "../usr/./bin//tool", FOUND_FILE, "/usr/bin/tool" },
		{ "/", "/../../../bin/sh", FOUND_FILE, "/bin/sh" },
		{ "/", "/bin/absolute", FOUND_FILE, "/bin/sh" },
		{ "/", "/bin/relative", FOUND_FILE, "/usr/bin/tool" },
		{ "/", "/bin/escape", FOUND_MISSING, NULL },
		{ "/", "/bin/loop", FOUND_LOOP, NULL },
		{ "/", "/bin/dangling", FOUND_MISSING, NULL },
		{ "/", "/bin/none", FOUND_MISSING, NULL },
		{ "/", "/bin/sh/x", FOUND_MISSING, NULL },
		{ "/", "/bin/fifo", FOUND_SPECIAL, "/bin/fifo" },
		{ "/", "/bin/dir", FOUND_DIRECTORY, "/bin/dir" },
		{ "/", "/", FOUND_DIRECTORY, "" },
		{ "/", "", FOUND_MISSING, NULL },
		{ "/", "/bin/magic", FOUND_UNKNOWN, NULL },
		/* mounts */
		{ "/", "/run/vol/app", FOUND_FILE, "/run/vol/app" },
		{ "/", "/var-run/vol/app", FOUND_FILE, "/run/vol/app" },
		{ "/", "/bin/into-volume", FOUND_FILE, "/run/vol/app" },
		{ "/", "/run/vol/link", FOUND_FILE, "/bin/sh" },
		{ "/", "/run/vol/up", FOUND_MISSING, NULL },
		{ "/", "/run/vol/../../bin/sh", FOUND_FILE, "/bin/sh" },
		{ "/", "/data/new", FOUND_DIRECTORY, "/data/new" },
		{ "/", "/data/old", FOUND_MISSING, NULL },
		{ "/", "/data/new/place/app", FOUND_FILE, "/data/new/place/app" },
		{ "/", "/data/new/place/deep/tool", FOUND_FILE, "/data/new/place/deep/tool" },
		{ "/", "/data/new/place/deep/x", FOUND_MISSING, NULL },
		{ "/", "/one", FOUND_FILE, "/one" },
		{ "/", "/one/x", FOUND_MISSING, NULL },
		{ "/", "/gone/x", FOUND_UNKNOWN, NULL },
		{ "/", "/scratch/x", FOUND_UNKNOWN, NULL },
		{ "/", "/proc/self/exe", FOUND_UNKNOWN, NULL },
	};
	CLEANUP_VIEW struct rootfs_view v = VIEW_INIT;

	(void)state;
	open_view(&v);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP_FOUND struct found f = FOUND_INIT;

		view_find(&v, rows[i].cwd, rows[i].path, &f);
		if (f.kind != rows[i].kind)
			fail_msg("%s: kind %d, not %d", rows[i].path, f.kind, rows[i].kind);
		assert_int_equal(f.fd >= 0, f.kind == FOUND_FILE);
		if (rows[i].resolved)
			assert_string_equal(f.path, rows[i].resolved);
	}
}

static void what_is_known_about_a_file(void **state)
{
	CLEANUP_VIEW struct rootfs_view v = VIEW_INIT;
	CLEANUP_FOUND struct found f = FOUND_INIT, g = FOUND_INIT, h = FOUND_INIT;

	(void)state;
	open_view(&v);
	view_find(&v, "/", "/data/new/place/app", &f);
	assert_true(f.noexec);
	assert_string_equal(f.mount->destination, "/data/new/place");
	assert_int_equal(f.size, 4);
	view_find(&v, "/", "/bin/into-volume", &g);
	assert_false(g.noexec);
	assert_string_equal(g.mount->destination, "/var-run/vol");
	view_find(&v, "/", "/bin/plain", &h);
	assert_null(h.mount);
	assert_int_equal(h.mode & 0777, 0644);
}

/* An image may ask for more looking than anybody has time for: then nothing is known. */
static void effort(void **state)
{
	char path[PATH_MAX];
	CLEANUP_VIEW struct rootfs_view v = VIEW_INIT;
	CLEANUP_FOUND struct found f = FOUND_INIT;
	unsigned int n = 0;

	(void)state;
	open_view(&v);
	for (size_t i = 0; i < sizeof(path); i++)
		path[i] = i % 2 ? '/' : '.';
	path[sizeof(path) - 1] = '\0';
	do {
		found_deinit(&f);
		view_find(&v, "/", path, &f);
	} while (f.kind != FOUND_UNKNOWN && ++n < 100);
	assert_in_range(n, ROOTFS_VIEW_EFFORT_MAX / PATH_MAX, 99);
	view_find(&v, "/", "/bin/sh", &f);
	assert_int_equal(f.kind, FOUND_UNKNOWN);
}

static void long_paths(void **state)
{
	static char path[2 * PATH_MAX];
	CLEANUP_VIEW struct rootfs_view v = VIEW_INIT;

	(void)state;
	open_view(&v);
	for (size_t n = PATH_MAX - 20; n < PATH_MAX + 20; n++) {
		CLEANUP_FOUND struct found f = FOUND_INIT;

		memset(path, '/', n);
		for (size_t i = 2; i < n; i += 2)
			path[i] = 'x';
		path[n] = '\0';
		view_find(&v, "/", path, &f);
		assert_int_equal(f.kind, FOUND_MISSING);
		f.kind = FOUND_UNKNOWN;
		view_find(&v, path, path + 1, &f);
		assert_int_equal(f.kind, FOUND_MISSING);
	}
}

static enum found_kind find(struct rootfs_view *v, const char *arg, const char *env, char *name)
{
	const char *const args[] = { arg, NULL }, *const variables[] = { env, NULL };
	struct spec_process p = { .args = args, .env = variables, .cwd = "/usr/bin" };
	CLEANUP_FOUND struct found f = FOUND_INIT;

	entrypoint_find(v, &p, name, &f);
	return f.kind;
}

static void programs(void **state)
{
	CLEANUP_VIEW struct rootfs_view v = VIEW_INIT;
	char name[PATH_MAX];

	(void)state;
	open_view(&v);
	assert_int_equal(find(&v, "sh", NULL, name), FOUND_FILE);
	assert_string_equal(name, "/bin/sh");
	assert_int_equal(find(&v, "sh", "PATH=/usr/bin", name), FOUND_MISSING);
	assert_string_equal(name, "sh");
	assert_int_equal(find(&v, "tool", "PATH=/no:/bin:/usr/bin", name), FOUND_FILE);
	assert_string_equal(name, "/usr/bin/tool");
	/* A file without execute permission is passed over, unless nothing else comes. */
	assert_int_equal(find(&v, "plain", "PATH=/bin:/usr/bin", name), FOUND_FILE);
	assert_string_equal(name, "/usr/bin/plain");
	assert_int_equal(find(&v, "plain", "PATH=/bin", name), FOUND_FILE);
	assert_string_equal(name, "/bin/plain");
	assert_int_equal(find(&v, "dir", "PATH=/usr/bin:/bin:/usr", name), FOUND_DIRECTORY);
	/* A directory that exists only later, or a relative one: nothing can be said. */
	assert_int_equal(find(&v, "sh", "PATH=/scratch:/bin", name), FOUND_UNKNOWN);
	assert_int_equal(find(&v, "sh", "PATH=.:/bin", name), FOUND_UNKNOWN);
	assert_int_equal(find(&v, "sh", "PATH=", name), FOUND_UNKNOWN);
	assert_int_equal(find(&v, "nothing", "PATH=/bin:", name), FOUND_UNKNOWN);
	assert_int_equal(find(&v, "./tool", NULL, name), FOUND_FILE);
	assert_string_equal(name, "./tool");
	assert_int_equal(find(&v, "/run/vol/app", NULL, name), FOUND_FILE);
}

static void empty_view(void **state)
{
	CLEANUP_VIEW struct rootfs_view v = VIEW_INIT;
	CLEANUP_FOUND struct found f = FOUND_INIT;

	(void)state;
	view_find(&v, "/", "/x", &f);
	assert_int_equal(f.kind, FOUND_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),    cmocka_unit_test(what_is_known_about_a_file),
		cmocka_unit_test(effort),   cmocka_unit_test(long_paths),
		cmocka_unit_test(programs), cmocka_unit_test(empty_view),
	};

	return cmocka_run_group_tests_name("view", tests, set_up, tear_down);
}
