/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/spawn.h"
#include "runtime/base/str.h"

/* Programs held by a descriptor, as a shim holds its helpers, and few descriptors to do it with. */

static char dir[] = "/tmp/spawn-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	(void)str_fmt(command, sizeof(command), "rm -rf %s", dir);
	return system(command); /* NOLINT(cert-env33-c): the name is our own */
}

/* The path of a program in the directory of this test: @bytes, or a copy of @from. */
static const char *place(const char *from, const char *bytes)
{
	static char path[PATH_MAX];
	CLEANUP_BUF struct buf text = BUF_INIT(16u << 20);
	char new_path[PATH_MAX + 8];
	struct err err;
	int fd;

	(void)str_fmt(path, sizeof(path), "%s/program", dir);
	(void)str_fmt(new_path, sizeof(new_path), "%s.new", path);
	if (from && file_read(AT_FDCWD, from, &text, &err) < 0)
		fail_msg("%s", err.text);
	if (!from)
		assert_int_equal(buf_add(&text, bytes, strlen(bytes), &err), 0);
	fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text.data, text.len), 0);
	close(fd);
	assert_int_equal(rename(new_path, path), 0); /* as dpkg and install do it */
	return path;
}

static int run(const char *path, int program_fd, const struct spawn_fd *fds, size_t n_fds)
{
	char *const argv[] = { (char *)(uintptr_t)path, NULL };
	struct spawn s = {
		.path = path, .program_fd = program_fd, .argv = argv, .fds = fds, .n_fds = n_fds
	};
	struct err err;
	int status;
	pid_t pid;

	if (spawn(&s, &pid, &err) < 0) {
		print_message("%s\n", err.text);
		return -1;
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void replaced_program(void **state)
{
	const char *path = place("/bin/true", NULL);
	int fd = open(path, O_PATH | O_CLOEXEC);

	(void)state;
	assert_true(fd > 0);
	assert_int_equal(run(path, fd, NULL, 0), 0);
	(void)place("/bin/false", NULL);
	assert_int_equal(WEXITSTATUS(run(path, 0, NULL, 0)), 1);
	assert_int_equal(run(path, fd, NULL, 0), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(run(path, fd, NULL, 0), 0);
	assert_int_equal(run(path, 0, NULL, 0), -1);
	close(fd);
}

/* One that is where the child's own descriptors are to be. */
static void low_number(void **state)
{
	const char *path = place("/bin/true", NULL);
	int fd = open(path, O_PATH | O_CLOEXEC);
	const struct spawn_fd map[] = { { STDERR_FILENO, fd } };

	(void)state;
	assert_int_equal(run(path, fd, map, 1), 0);
	assert_int_equal(unlink(path), 0);
	close(fd);
}

/* The interpreter of a script would have to open a descriptor that is closed by then. */
static void script(void **state)
{
	const char *path = place(NULL, "#!/bin/sh\nexit 7\n");
	int fd = open(path, O_PATH | O_CLOEXEC);

	(void)state;
	assert_int_equal(WEXITSTATUS(run(path, fd, NULL, 0)), 7);
	assert_int_equal(unlink(path), 0);
	close(fd);
}

static void few_descriptors(void **state)
{
	const struct rlimit few = { 64, 64 };
	const struct spawn_fd map[] = { { STDERR_FILENO, 2 }, { STDERR_FILENO, 6 } };
	int status;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		if (setrlimit(RLIMIT_NOFILE, &few) < 0)
			_exit(1);
		_exit(run("/bin/true", 0, map, 2) == 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replaced_program),
		cmocka_unit_test(low_number),
		cmocka_unit_test(script),
		cmocka_unit_test(few_descriptors),
	};

	return cmocka_run_group_tests_name("spawn", tests, set_up, tear_down);
}
