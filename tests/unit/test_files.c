/* SPDX-License-Identifier: Apache-2.0 */
/* Files and descriptors: whole reads, replacing, locks, lines, and the kernel's list of mounts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/base/mountinfo.h"
#include "runtime/base/str.h"
#include "runtime/base/text_search.h"

static char dir[] = "/tmp/files-XXXXXX";
static int dir_fd;

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	close(dir_fd);
	(void)str_fmt(command, sizeof(command), "rm -rf %s", dir);
	return system(command); /* NOLINT(cert-env33-c): the name is our own */
}

static size_t count_files(void)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

/* The old contents or the new ones, and nothing else is left in the directory. */
static void test_replace(void **state)
{
	CLEANUP_BUF struct buf text = BUF_INIT(100);
	size_t before = count_files();
	struct stat st;
	struct err err;

	(void)state;
	assert_int_equal(file_replace(dir_fd, "file", 0600, "one", 3, &err), 0);
	assert_int_equal(file_replace(dir_fd, "file", 0640, "second", 6, &err), 0);
	assert_int_equal(file_read(dir_fd, "file", &text, &err), 0);
	assert_string_equal(buf_str(&text), "second");
	assert_int_equal(fstatat(dir_fd, "file", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(file_replace(dir_fd, "missing/file", 0600, "x", 1, &err), -1);
	assert_int_equal(mkdirat(dir_fd, "taken", 0700), 0);
	assert_int_equal(file_replace(dir_fd, "taken", 0600, "x", 1, &err), -1);
	assert_non_null(strstr(err.text, "rename"));
	assert_int_equal(count_files(), before + 2);
}

static void test_reads_are_whole_and_bounded(void **state)
{
	CLEANUP_BUF struct buf small = BUF_INIT(5);
	CLEANUP_BUF struct buf text = BUF_INIT(100);
	struct err err;

	(void)state;
	assert_int_equal(file_read(dir_fd, "nowhere", &text, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(file_replace(dir_fd, "six", 0600, "sixsix", 6, &err), 0);
	assert_int_equal(file_read(dir_fd, "six", &small, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_int_equal(file_read_regular(dir_fd, "six", &text, &err), 0);
	assert_string_equal(buf_str(&text), "sixsix");
	assert_int_equal(file_replace(dir_fd, "empty", 0600, "", 0, &err), 0);
	buf_deinit(&text);
	assert_int_equal(file_read(dir_fd, "empty", &text, &err), 0);
	assert_string_equal(buf_str(&text), "");
}

/* A FIFO in a file's place is not waited for. */
static void test_regular_only(void **state)
{
	CLEANUP_BUF struct buf text = BUF_INIT(100);
	struct err err;

	(void)state;
	assert_int_equal(mkfifoat(dir_fd, "fifo", 0600), 0);
	assert_int_equal(file_read_regular(dir_fd, "fifo", &text, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(file_read_regular(dir_fd, ".", &text, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
}

static void test_directories(void **state)
{
	char path[64];
	struct err err;

	(void)state;
	(void)str_fmt(path, sizeof(path), "%s/a/b/c", dir);
	assert_int_equal(dir_make(path, 0755, &err), 0);
	assert_int_equal(dir_make(path, 0755, &err), 0);
	assert_int_equal(access(path, F_OK), 0);
	(void)str_fmt(path, sizeof(path), "%s/plain", dir);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	(void)str_fmt(path, sizeof(path), "%s/plain/below", dir);
	assert_int_equal(dir_make(path, 0755, &err), -1);
	assert_int_equal(err.errnum, ENOTDIR);
}

static void test_locks_are_bounded(void **state)
{
	CLEANUP_FD int mine = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int theirs = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(fd_lock(theirs, 0), 0);
	assert_int_equal(fd_lock(mine, 20), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	assert_int_equal(flock(theirs, LOCK_UN), 0);
	assert_int_equal(fd_lock(mine, 20), 0);
	assert_int_equal(fd_lock(-1, 20), -1);
	assert_int_equal(errno, EBADF);
}

static void test_lines_of_a_file(void **state)
{
	char text[] = "one\n\nno end";
	CLEANUP_FILE FILE *file = fmemopen(text, strlen(text), "r");
	CLEANUP_FREE char *line = NULL;
	size_t size = 0;

	(void)state;
	assert_non_null(file);
	assert_true(file_line(file, &line, &size));
	assert_string_equal(line, "one");
	assert_true(file_line(file, &line, &size));
	assert_string_equal(line, "");
	assert_true(file_line(file, &line, &size));
	assert_string_equal(line, "no end");
	assert_false(file_line(file, &line, &size));
}

/* proc(5): any number of optional fields before the dash, blanks as octal escapes. */
static void test_mountinfo(void **state)
{
	char plain[] =
		"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue";
	char bare[] = "21 1 0:19 / /a\\040b\\134c rw - tmpfs none rw,size=4k";
	char many[] = "21 1 0:19 / /x rw shared:1 master:2 propagate_from:3 - cgroup cgroup rw,cpu";
	char cut[] = "21 1 0:19 / /x rw shared:1";
	char few[] = "21 1 - tmpfs none rw";
	char end[] = "21 1 0:19 / /x rw - tmpfs none";
	struct mountinfo m;

	(void)state;
	assert_true(mountinfo_parse(plain, &m));
	assert_string_equal(m.device, "98:0");
	assert_string_equal(m.root, "/mnt1");
	assert_string_equal(m.point, "/mnt2");
	assert_string_equal(m.type, "ext3");
	assert_string_equal(m.options, "rw,errors=continue");
	assert_true(mountinfo_parse(bare, &m));
	assert_string_equal(m.point, "/a b\\c");
	assert_true(mountinfo_parse(many, &m));
	assert_string_equal(m.type, "cgroup");
	assert_string_equal(m.options, "rw,cpu");
	assert_false(mountinfo_parse(cut, &m));
	assert_false(mountinfo_parse(few, &m));
	assert_false(mountinfo_parse(end, &m));
}

static void test_path_below(void **state)
{
	(void)state;
	assert_string_equal(path_below("/a/b", "/a"), "/b");
	assert_string_equal(path_below("/a", "/a"), "");
	assert_string_equal(path_below("/a/b", "/"), "/a/b");
	assert_null(path_below("/ab", "/a"));
	assert_null(path_below("/", "/a"));
}

static void test_mentions(void **state)
{
	static char text[3 * 8192];
	/* Where a piece that is read begins and ends. */
	static const size_t places[] = { 0, 1, 8189, 8190, 8191, 8192, 16383, sizeof(text) - 4 };
	struct err err = ERR_INIT;
	char path[128];

	(void)state;
	(void)str_fmt(path, sizeof(path), "%s/mentions", dir);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		memset(text, 'x', sizeof(text));
		memcpy(text + places[i], "wish", 4);
		assert_int_equal(file_replace(dir_fd, "mentions", 0600, text, sizeof(text), &err),
				 0);
		assert_true(file_mentions(path, "wish"));
		assert_false(file_mentions(path, "wishx2"));
	}
	assert_false(file_mentions(path, ""));
	assert_false(file_mentions("/none", "wish"));
	assert_false(file_mentions(dir, "wish"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_reads_are_whole_and_bounded),
		cmocka_unit_test(test_regular_only),
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_locks_are_bounded),
		cmocka_unit_test(test_lines_of_a_file),
		cmocka_unit_test(test_mountinfo),
		cmocka_unit_test(test_path_below),
		cmocka_unit_test(test_mentions),
	};

	return cmocka_run_group_tests_name("files", tests, set_up, tear_down);
}
