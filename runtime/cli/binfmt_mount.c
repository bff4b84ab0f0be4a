/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/binfmt_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/binfmt/registry.h"

/* Long enough for a daemon that mounts a file system without a device. */
#define TRIGGER_S 10

/* Inode numbers of the first namespaces' files in /proc (include/linux/proc_ns.h). */
#define INITIAL_USER_NAMESPACE 0xeffffffdu
#define INITIAL_PID_NAMESPACE 0xeffffffcu

/* What the child exits with: one of these or an errno, which are all below. */
#define EXIT_WAS_MOUNTED 255
#define EXIT_TRIGGERED 254
#define EXIT_MOUNTED 0

/* --- where ------------------------------------------------------------------------------------ */

static ino_t namespace(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_ino : 0;
}

/* True when both are the same namespace; false also when that cannot be told. */
static bool same_namespace(const char *a, const char *b)
{
	ino_t x = namespace(a);

	return x && x == namespace(b);
}

static bool belongs_here(void)
{
	return !same_namespace("/proc/self/ns/user", "/proc/1/ns/user") ||
	       same_namespace("/proc/self/ns/mnt", "/proc/1/ns/mnt");
}

bool binfmt_mount_is_blind(void)
{
	return namespace("/proc/self/ns/user") == INITIAL_USER_NAMESPACE &&
	       namespace("/proc/self/ns/pid") != INITIAL_PID_NAMESPACE;
}

/* --- in the namespace where it belongs -------------------------------------------------------- */

/* Opened without any intent, an automount shows itself and stays as it is. */
static bool is_automount(void)
{
	CLEANUP_FD int fd = open(BINFMT_DIR, O_PATH | O_CLOEXEC);
	struct statfs fs;

	return fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == AUTOFS_SUPER_MAGIC;
}

/* Opened as a directory it is triggered, and we wait for who mounts there. */
static bool is_binfmt(void)
{
	CLEANUP_FD int fd = open(BINFMT_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	return fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == BINFMTFS_MAGIC;
}

/* mount(2) would trigger the automount again; this puts the new mount on top of it. */
static int cover_automount(void)
{
	CLEANUP_FD int under = open(BINFMT_DIR, O_PATH | O_CLOEXEC);
	CLEANUP_FD int fs = fsopen("binfmt_misc", FSOPEN_CLOEXEC);
	CLEANUP_FD int over = -1;

	if (under < 0 || fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	over = fsmount(fs, FSMOUNT_CLOEXEC,
		       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (over < 0)
		return -1;
	return move_mount(over, "", under, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

static int mount_plainly(void)
{
	return mount("binfmt_misc", BINFMT_DIR, "binfmt_misc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		     NULL);
}

/* @automount: its daemon has had its time already, or is to be asked. */
static int mount_here(bool automount, bool ask)
{
	if (ask && is_binfmt())
		return automount ? EXIT_TRIGGERED : EXIT_WAS_MOUNTED;
	if ((automount ? cover_automount() : mount_plainly()) < 0)
		return errno;
	return is_binfmt() ? EXIT_MOUNTED : EIO;
}

static int enter_and_mount(bool ask)
{
	CLEANUP_FD int ns = -1;

	if (!belongs_here()) {
		ns = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
		if (ns < 0 || setns(ns, CLONE_NEWNS) < 0)
			return errno;
	}
	return mount_here(is_automount(), ask);
}

/*
 * In a child: a process does not come back from another mount namespace in one piece, and one that
 * waits for an automount can only be ended. ETIME: it was. Who uses an automount writes into the
 * pipe to its daemon (fs/autofs/waitq.c), and without a daemon gets SIGPIPE.
 */
static int mount_in_child(bool ask)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		signal(SIGPIPE, SIG_IGN);
		signal(SIGALRM, SIG_DFL);
		alarm(TRIGGER_S);
		_exit(enter_and_mount(ask));
	}
	if (pid < 0)
		return errno;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		return ETIME;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

int binfmt_mount(enum binfmt_mounted *ret, struct err *err)
{
	int rc = mount_in_child(true);

	if (rc == ETIME)
		rc = mount_in_child(false);
	*ret = rc == EXIT_WAS_MOUNTED ? BINFMT_WAS_MOUNTED
	       : rc == EXIT_TRIGGERED ? BINFMT_TRIGGERED
				      : BINFMT_MOUNTED;
	if (rc == EXIT_MOUNTED || rc == EXIT_WAS_MOUNTED || rc == EXIT_TRIGGERED)
		return 0;
	if (rc == ENODEV)
		return err_set(err, ERR_UNSUPPORTED,
			       "this kernel has no binfmt_misc: load the module (modprobe "
			       "binfmt_misc), or use a kernel with CONFIG_BINFMT_MISC");
	errno = rc;
	return err_sys(err, ERR_IO, "mount binfmt_misc on " BINFMT_DIR "%s",
		       rc == EPERM || rc == EACCES ? " (this needs root on the node)" : "");
}

/* Each instance is a file system of its own, with a device number of its own. */
int binfmt_mount_prove(int dirfd, struct err *err)
{
	const char *path =
		belongs_here() ? BINFMT_DIR "/status" : "/proc/1/root" BINFMT_DIR "/status";
	struct stat ours, nodes;

	if (fstat(dirfd, &ours) < 0 || stat(path, &nodes) < 0)
		return err_sys(err, ERR_PRECONDITION,
			       "binfmt_misc cannot be seen in the node's own mounts (%s): run this "
			       "on the node itself",
			       path);
	if (ours.st_dev != nodes.st_dev)
		return err_set(err, ERR_PRECONDITION,
			       "the binfmt_misc that is mounted here is not the node's own: what "
			       "is registered in it would be gone with this container");
	return 0;
}
