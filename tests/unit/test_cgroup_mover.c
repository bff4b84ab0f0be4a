/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/cgroup_rejoin.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "shim/host/cgroup_mover.h"

static void file_of(const char *text, const char *want)
{
	char line[128], file[256];

	assert_true(str_copy(line, sizeof(line), text));
	if (!want) {
		assert_false(cgroup_rejoin_file(line, file, sizeof(file)));
		return;
	}
	assert_true(cgroup_rejoin_file(line, file, sizeof(file)));
	assert_string_equal(file, want);
}

static void test_file_of_a_cgroup(void **state)
{
	char line[] = "1:memory:/a", file[16];

	(void)state;
	file_of("9:cpu,cpuacct:/a/b", "/sys/fs/cgroup/cpu,cpuacct/a/b/cgroup.procs");
	file_of("1:name=systemd:/", "/sys/fs/cgroup/systemd//cgroup.procs");
	file_of("0::/system.slice", "/sys/fs/cgroup//system.slice/cgroup.procs");
	file_of("0::/../other", NULL);
	file_of("0:", NULL);
	file_of("", NULL);
	file_of("0::relative", NULL);
	assert_false(cgroup_rejoin_file(line, file, sizeof(file)));
}

static void read_membership(struct buf *b)
{
	struct err err;

	assert_int_equal(file_read(AT_FDCWD, "/proc/self/cgroup", b, &err), 0);
}

/* It stays where it is; a host without any cgroup file system is fine too. */
static void test_moves_nothing(void **state)
{
	struct buf CLEANUP_BUF before = BUF_INIT(1u << 16);
	struct buf CLEANUP_BUF after = BUF_INIT(1u << 16);
	int status;
	pid_t pid;

	(void)state;
	read_membership(&before);
	pid = fork();
	if (pid == 0) {
		int rc = cgroup_mover_run(NULL);

		read_membership(&after);
		_exit(rc || !str_eq(buf_str(&before), buf_str(&after)));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_of_a_cgroup),
		cmocka_unit_test(test_moves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
