/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of private emulators, and what it waits for: never for somebody who hangs. In a mount
 * namespace of our own; skipped where we cannot have one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/err.h"
#include "runtime/base/fd.h"
#include "runtime/prepare/report.h"
#include "shim/host/private_emulators.h"
#include "shim/socket.h"

#define POD PRIVATE_DIR "/4026532000"
#define HANGS_S 30 /* what takes so long hangs */

static int setup(void **state)
{
	struct err err;

	(void)state;
	if (unshare(CLONE_NEWNS) < 0)
		return 0;
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("none", "/run", "tmpfs", 0, "size=1m"), 0);
	assert_int_equal(dir_make(POD "/" PRIVATE_MOUNT, 0700, &err), 0);
	assert_int_equal(symlink("/run/no-such-bundle", POD "/c1"), 0);
	alarm(HANGS_S);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	alarm(0);
	(void)umount2("/run", MNT_DETACH);
	return 0;
}

/* Opened anew, so that the lock is somebody else's to us. */
static int hold(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || access(POD, F_OK) < 0)
		skip();
	assert_int_equal(flock(fd, LOCK_EX), 0);
	return fd;
}

static void test_sweep(void **state)
{
	int holder = hold(PRIVATE_DIR);

	(void)state;
	private_emulators_sweep();
	assert_int_equal(access(POD, F_OK), 0);
	close(holder);
	private_emulators_sweep();
	assert_int_equal(access(POD, F_OK), -1);
}

static void test_release(void **state)
{
	int holder = hold(PRIVATE_DIR);

	(void)state;
	assert_int_equal(mkdir("/run/c1", 0700), 0);
	assert_int_equal(unlink(POD "/c1"), 0);
	assert_int_equal(symlink("/run/c1", POD "/c1"), 0);
	private_emulators_release("/run/c1");
	assert_int_equal(access(POD, F_OK), 0);
	close(holder);
	private_emulators_release("/run/c1");
	assert_int_equal(access(POD, F_OK), -1);
}

/* The directory of the sockets is locked by every `start`. */
static void test_socket(void **state)
{
	int holder, fd = 0;
	struct err err;

	(void)state;
	assert_int_equal(dir_make("/run/s", 0700, &err), 0);
	holder = hold("/run/s");
	assert_int_equal(socket_listen("/run/s/x", &fd, &err), -1);
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_int_equal(fd, -1);
	socket_remove_stale("/run/s/x");
	close(holder);
	assert_int_equal(socket_listen("/run/s/x", &fd, &err), 0);
	close(fd);
	socket_remove_stale("/run/s/x");
	assert_int_equal(access("/run/s/x", F_OK), -1);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = { T(test_sweep), T(test_release), T(test_socket) };

	return cmocka_run_group_tests_name("private", tests, NULL, NULL);
}
