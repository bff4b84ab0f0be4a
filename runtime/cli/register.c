/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/register.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/binfmt/registry.h"

/* --- the table ----------------------------------------------------------------------------- */

static int write_to(int dirfd, const char *name, const char *text, struct err *err)
{
	CLEANUP_FD int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (n >= 0)
		return 0;
	if (errno == EEXIST)
		return err_set(err, ERR_EXISTS, "the kernel has a handler of that name");
	if (errno == EACCES || errno == EPERM || errno == EROFS)
		return err_sys(err, ERR_IO, "write binfmt_misc's %s (this needs root on the node)",
			       name);
	return err_sys(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "write binfmt_misc's %s",
		       name);
}

int register_handler(int dirfd, const char *line, struct err *err)
{
	return write_to(dirfd, "register", line, err);
}

int unregister_handler(int dirfd, const char *name, bool *ret_removed, struct err *err)
{
	*ret_removed = faccessat(dirfd, name, F_OK, 0) == 0;
	return *ret_removed ? write_to(dirfd, name, "-1", err) : 0;
}

/* --- the mount ----------------------------------------------------------------------------- */

#define MOUNTED_ALREADY 255 /* no errno */

/* 0, MOUNTED_ALREADY or an errno. */
static int mount_here(void)
{
	struct statfs fs;

	if (statfs(BINFMT_DIR, &fs) == 0 && fs.f_type == BINFMTFS_MAGIC)
		return MOUNTED_ALREADY;
	if (mount("binfmt_misc", BINFMT_DIR, "binfmt_misc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  NULL) < 0)
		return errno;
	return 0;
}

/* True when both are the same namespace; false also when that cannot be told. */
static bool same_namespace(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_ino == y.st_ino;
}

/* In a child: a process does not come back from another mount namespace in one piece. */
static int mount_in_init(void)
{
	CLEANUP_FD int ns = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
	pid_t pid = ns < 0 ? -1 : fork();
	int status;

	if (pid == 0)
		_exit(setns(ns, CLONE_NEWNS) < 0 ? errno : mount_here());
	if (pid < 0)
		return errno;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

int binfmt_mount(bool *ret_mounted, struct err *err)
{
	bool here = !same_namespace("/proc/self/ns/user", "/proc/1/ns/user") ||
		    same_namespace("/proc/self/ns/mnt", "/proc/1/ns/mnt");
	int rc = here ? mount_here() : mount_in_init();

	*ret_mounted = rc == 0;
	if (rc == 0 || rc == MOUNTED_ALREADY)
		return 0;
	if (rc == ENODEV)
		return err_set(err, ERR_UNSUPPORTED,
			       "this kernel has no binfmt_misc: load the module (modprobe "
			       "binfmt_misc), or use a kernel with CONFIG_BINFMT_MISC");
	errno = rc;
	return err_sys(err, ERR_IO, "mount binfmt_misc on " BINFMT_DIR "%s",
		       rc == EPERM || rc == EACCES ? " (this needs root on the node)" : "");
}
