/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/prepare/confine.h"

#if defined(__SANITIZE_ADDRESS__)
#define CONFINES 0
#else
#define CONFINES 1
#endif

/* Each question is asked in a child that confines itself first: its status, or minus the signal. */
static int confined(int (*question)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct rootfs_view v = VIEW_INIT;
		struct err err;

		for (int fd = 3; fd < 10; fd++)
			close(fd);
		if (open("/dev/null", O_WRONLY) != 3 || open("/etc", O_PATH) != 4 ||
		    open("/tmp", O_PATH) != 5 || open("/dev/null", O_RDWR) != 6 ||
		    open("/dev/null", O_WRONLY) != 7)
			_exit(99);
		v.root = 4;
		if (confine_calls(7, -1, &err) < 0 || confine_files(&v, 5, &err) < 0)
			_exit(98);
		_exit(question());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int allowed_calls(void)
{
	char byte;
	int fd = fd_openat2(4, "passwd", O_RDONLY, 0, 0);

	if (fd < 7 || read(fd, &byte, 1) != 1 || close(fd) < 0)
		return 1;
	if (write(2, "", 0) < 0 || write(3, "x", 1) != 1 || write(7, "x", 1) != 1)
		return 2;
	free(malloc(1u << 20));
	return 0;
}

static int ask_execve(void)
{
	char *const argv[] = { NULL };

	return execve("/bin/true", argv, argv);
}

static int ask_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int ask_fork(void)
{
	return fork();
}

static int ask_kill(void)
{
	return kill(1, 0);
}

static int ask_mount(void)
{
	return mount("t", "/mnt", "tmpfs", 0, NULL);
}

static int ask_ptrace(void)
{
	return (int)syscall(SYS_ptrace, 0, 0, 0, 0);
}

static int ask_write_elsewhere(void)
{
	return (int)write(6, "x", 1);
}

static int ask_close_given(void)
{
	return close(3);
}

static int ask_dup(void)
{
	return dup2(6, 3);
}

static int ask_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	       MAP_FAILED;
}

static int ask_shared(void)
{
	return mmap(NULL, 4096, PROT_READ, MAP_SHARED, 6, 0) == MAP_FAILED;
}

static int ask_unlink(void)
{
	return unlink("/tmp/nothing");
}

/* Not a death but an answer: the C library asks for time zones this way. */
static int ask_openat(void)
{
	return open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES ? 0 : 1;
}

/* With Landlock; where the kernel has none the file opens, which is status 2. */
static int ask_other_files(void)
{
	int fd = fd_openat2(AT_FDCWD, "/proc/self/status", O_RDONLY, 0, 0);

	return fd >= 0 ? 2 : errno == EACCES ? 0 : 1;
}

static int ask_create(void)
{
	int fd = fd_openat2(4, "crossarch-test-file", O_WRONLY | O_CREAT, 0600, 0);

	return fd < 0 ? 0 : 2;
}

/* Files are looked at as nobody, if there is one here. */
static int ask_owner(void)
{
	return (int)syscall(SYS_setfsuid, 65534) == 65534 ? 0 : 2;
}

static void what_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(confined(allowed_calls), 0);
	if (CONFINES)
		assert_int_equal(confined(ask_openat), 0);
}

static void what_kills(void **state)
{
	static int (*const questions[])(void) = {
		ask_execve, ask_socket,		 ask_fork,	  ask_kill, ask_mount,	ask_ptrace,
		ask_dup,    ask_write_elsewhere, ask_close_given, ask_code, ask_shared, ask_unlink,
	};

	(void)state;
	if (!CONFINES)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
		if (confined(questions[i]) != -SIGSYS)
			fail_msg("question %zu was answered", i);
}

static void other_files(void **state)
{
	int rc = confined(ask_other_files);

	(void)state;
	if (rc == 2)
		skip();
	assert_int_equal(rc, 0);
	assert_int_equal(confined(ask_create), 0);
}

static void nobody(void **state)
{
	(void)state;
	if (!CONFINES || getuid() != 0)
		skip();
	assert_int_equal(confined(ask_owner), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_allowed),
		cmocka_unit_test(what_kills),
		cmocka_unit_test(other_files),
		cmocka_unit_test(nobody),
	};

	return cmocka_run_group_tests_name("confine", tests, NULL, NULL);
}
