/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/prepare/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"

#define MAP_MAX 4096

/* "0:1000:1,5:2000:7" as the kernel wants it: one line each, separated by blanks. */
static int write_map(pid_t pid, const char *file, const char *map, struct err *err)
{
	char path[48], text[MAP_MAX];
	CLEANUP_FD int fd = -1;

	if (!str_copy(text, sizeof(text), map) || map[strspn(map, "0123456789:,")])
		return err_set(err, ERR_INVALID, "id map \"%.80s\"", map);
	for (char *p = text; *p; p++)
		*p = *p == ':' ? ' ' : *p == ',' ? '\n' : *p;
	(void)str_fmt(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0)
		return err_sys(err, ERR_IO, "id map \"%.80s\"", map);
	return 0;
}

static int open_mapped(pid_t pid, const char *uids, const char *gids, int *ret_fd, struct err *err)
{
	char path[48];

	if (write_map(pid, "uid_map", uids, err) < 0 || write_map(pid, "gid_map", gids, err) < 0)
		return -1;
	(void)str_fmt(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(err, ERR_IO, "open user namespace") : 0;
}

/*
 * The child only keeps the new namespace alive until it is killed, or until we end. It must hold no
 * descriptor whose end of file somebody waits for.
 */
static _Noreturn void exist(pid_t parent)
{
	(void)close_range(0, ~0U, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(0); /* it had ended before that */
	for (;;)
		pause();
}

int idmap_namespace(const char *uids, const char *gids, int *ret_fd, struct err *err)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	pid_t self = getpid();
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	int rc;

	if (pid == 0)
		exist(self);
	if (pid < 0)
		return err_sys(err, ERR_IO, "create user namespace");
	rc = open_mapped(pid, uids, gids, ret_fd, err);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return rc;
}

int idmap_tree(const char *path, bool recursive, int namespace, int *ret_tree, struct err *err)
{
	unsigned int below = recursive ? AT_RECURSIVE : 0;
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP,
				   .userns_fd = (uint64_t) namespace };
	CLEANUP_FD int tree =
		open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | below);

	if (tree < 0)
		return err_sys(err, ERR_IO, "copy mount of %.200s", path);
	if (mount_setattr(tree, "", AT_EMPTY_PATH | below, &attr, sizeof(attr)) < 0)
		return err_sys(err, errno == EINVAL ? ERR_UNSUPPORTED : ERR_IO, "map ids of %.200s",
			       path);
	*ret_tree = fd_steal(&tree);
	return 0;
}
