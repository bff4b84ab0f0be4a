/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/binfmt/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"

/* Inode number of the first user namespace's file in /proc (include/linux/proc_ns.h). */
#define INITIAL_USER_NAMESPACE 0xeffffffdu

static bool in_initial_user_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino == INITIAL_USER_NAMESPACE;
}

/* True when /proc/filesystems names it; a module that is not loaded is not listed. */
static bool kernel_has_binfmt(void)
{
	CLEANUP_BUF struct buf text = BUF_INIT(65536);
	struct err err;

	if (file_read(AT_FDCWD, "/proc/filesystems", &text, &err) < 0)
		return true;
	return strstr(buf_str(&text), "\tbinfmt_misc\n") != NULL;
}

/*
 * A mount that is attached nowhere: shows the initial namespace's table without changing any mount
 * table. In another user namespace it would create an instance and so hide the handlers of its
 * parents, hence never there.
 */
static int open_detached(void)
{
	CLEANUP_FD int fs = fsopen("binfmt_misc", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

int binfmt_open(int *ret_fd, bool *ret_mounted, enum binfmt_state *ret_state, struct err *err)
{
	CLEANUP_FD int fd = -1;
	struct statfs fs;

	*ret_fd = -1;
	*ret_mounted = false;
	*ret_state = BINFMT_UNKNOWN;
	fd = open(BINFMT_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && fstatfs(fd, &fs) < 0)
		return err_sys(err, ERR_IO, "statfs " BINFMT_DIR);
	if (fd >= 0 && fs.f_type == BINFMTFS_MAGIC) {
		*ret_mounted = true;
		*ret_fd = fd_steal(&fd);
		return 0;
	}
	if (!in_initial_user_namespace())
		return 0;
	*ret_fd = open_detached();
	if (*ret_fd < 0 && (errno == ENODEV || !kernel_has_binfmt()))
		*ret_state = BINFMT_UNSUPPORTED;
	else if (*ret_fd < 0)
		*ret_state = BINFMT_NOT_MOUNTED;
	return 0;
}
