/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/trial_run.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/cli/subprocess.h"
#include "runtime/cli/trial_program.h"

/* An emulator that has not finished a program of four instructions by then never will. */
#define TRY_MS 30000 /* as in emulator_install.c: for a loaded node, not for the emulator */

static void judge(const struct subprocess_result *r, char *why, size_t size)
{
	char what[96];

	why[0] = '\0';
	if (r->end == SUBPROCESS_EXITED && r->value == TRIAL_STATUS)
		return;
	subprocess_describe(r, what, sizeof(what));
	if (r->end == SUBPROCESS_EXITED && r->value == TRIAL_STATUS + 1)
		(void)str_fmt(why, size,
			      "programs get their own path as an extra argument: the emulator does "
			      "not expect flag P");
	else
		(void)str_fmt(why, size, "a built-in program %s", what);
}

static int run(const char *path, int keep_fd, struct subprocess_result *ret, struct err *err)
{
	char name[] = "crossarch-probe";
	char *const argv[] = { name, NULL };
	const struct subprocess r = {
		.path = path, .argv = argv, .keep_fd = keep_fd, .timeout_ms = TRY_MS
	};

	return subprocess_run(&r, ret, err);
}

int trial_run(const struct arch *a, char *why, size_t size, struct err *err)
{
	CLEANUP_FD int fd = -1;
	struct subprocess_result result;
	char path[32];

	if (trial_open(a, &fd, err) < 0)
		return -1;
	(void)str_fmt(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (run(path, fd, &result, err) < 0)
		return -1;
	judge(&result, why, size);
	return 0;
}

/* --- in a root of its own --------------------------------------------------------------------- */

/* What every container has of the node; the rest of its root is the image's. */
static const char *const shared[] = { "proc", "dev", "sys" };

#define PROGRAM "program"

static int put_program(int root, const uint8_t *bytes, size_t n)
{
	CLEANUP_FD int fd = openat(root, PROGRAM, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

	return fd < 0 ? -1 : fd_write_all(fd, bytes, n);
}

/* A copy of the mounts below /@name, attached to the directory of that name below @root. */
static int share(int root, const char *name)
{
	CLEANUP_FD int tree = -1;
	char path[16];

	(void)str_fmt(path, sizeof(path), "/%s", name);
	tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (tree < 0 || mkdirat(root, name, 0755) < 0)
		return -1;
	return move_mount(tree, "", root, name, MOVE_MOUNT_F_EMPTY_PATH);
}

/* Attached over our own root, in a mount namespace that nobody else sees, and then entered. */
static int enter_root(const uint8_t *bytes, size_t n)
{
	CLEANUP_FD int fs = -1;
	CLEANUP_FD int root = -1;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	root = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (root < 0 || move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 ||
	    put_program(root, bytes, n) < 0 || mkdirat(root, "tmp", 01777) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
		if (share(root, shared[i]) < 0)
			return -1;
	return fchdir(root) < 0 ? -1 : chroot(".");
}

/* Says nothing on @out when it could not get there. */
static _Noreturn void be_contained(const uint8_t *bytes, size_t n, int out)
{
	struct subprocess_result result;
	struct err ignored;

	if (enter_root(bytes, n) == 0 && run("/" PROGRAM, -1, &result, &ignored) == 0)
		(void)!fd_write_all(out, &result, sizeof(result));
	_exit(0);
}

/* The answer is smaller than a pipe, so it is there when the child has ended. */
static int wait_for_answer(pid_t pid, int in, struct subprocess_result *ret, struct err *err)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, ERR_IO, "wait for the trial in a container's root");
	if (read(in, ret, sizeof(*ret)) != (ssize_t)sizeof(*ret))
		return err_set(err, ERR_UNSUPPORTED, "no root file system for a trial can be made");
	return 0;
}

int trial_run_contained(const struct arch *a, char *why, size_t size, struct err *err)
{
	CLEANUP_FD int in = -1;
	CLEANUP_FD int out = -1;
	uint8_t bytes[TRIAL_MAX];
	size_t n = trial_build(a, bytes);
	struct subprocess_result result;
	pid_t pid;

	if (!n)
		return err_set(err, ERR_UNSUPPORTED, "there is no built-in program for %s",
			       a->name);
	if (fd_pipe(&in, &out, O_NONBLOCK, err) < 0)
		return -1;
	pid = fork();
	if (pid < 0)
		return err_sys(err, ERR_IO, "fork");
	if (pid == 0)
		be_contained(bytes, n, out);
	if (wait_for_answer(pid, in, &result, err) < 0)
		return -1;
	judge(&result, why, size);
	return 0;
}
