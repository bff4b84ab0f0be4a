/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/str.h"

#define LOCK_PAUSE_MS 10

int fd_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve };
	long fd;

	/* EAGAIN: the tree was renamed while the kernel walked it; the walk is simply repeated. */
	for (int tries = 0; tries < 8; tries++) {
		fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return (int)fd;
}

int fd_write_all(int fd, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

int fd_read_all(int fd, const char *what, struct buf *b, struct err *err)
{
	char block[4096];

	for (;;) {
		ssize_t n = read(fd, block, sizeof(block));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, ERR_IO, "read %s", what);
		if (n == 0)
			return 0;
		if (buf_add(b, block, (size_t)n, err) < 0)
			return err_in(err, "read %s", what);
	}
}

int file_read(int dirfd, const char *name, struct buf *b, struct err *err)
{
	CLEANUP_FD int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return err_sys(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "open %s", name);
	return fd_read_all(fd, name, b, err);
}

int file_read_regular(int dirfd, const char *name, struct buf *b, struct err *err)
{
	CLEANUP_FD int fd = fd_openat2(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, 0);
	struct stat st;

	if (fd < 0)
		return err_sys(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "open %.200s", name);
	if (fstat(fd, &st) < 0)
		return err_sys(err, ERR_IO, "stat %.200s", name);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "%.200s is not a regular file", name);
	return fd_read_all(fd, name, b, err);
}

int file_replace(int dirfd, const char *name, mode_t mode, const void *bytes, size_t n,
		 struct err *err)
{
	char tmp[PATH_MAX];
	CLEANUP_FD int fd = -1;

	if (!str_fmt(tmp, sizeof(tmp), "%s.%d.tmp", name, (int)getpid()))
		return err_set(err, ERR_INVALID, "path too long: %.80s...", name);
	fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return err_sys(err, ERR_IO, "create %s", tmp);
	if (fd_write_all(fd, bytes, n) < 0) {
		err_sys(err, ERR_IO, "write %s", tmp);
	} else if (renameat(dirfd, tmp, dirfd, name) < 0) {
		err_sys(err, ERR_IO, "rename %s to %s", tmp, name);
	} else {
		return 0;
	}
	unlinkat(dirfd, tmp, 0);
	return -1;
}

int fd_pipe(int *ret_read, int *ret_write, int flags, struct err *err)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC | flags) < 0)
		return err_sys(err, ERR_IO, "pipe");
	*ret_read = p[0];
	*ret_write = p[1];
	return 0;
}

int dir_make(const char *path, mode_t mode, struct err *err)
{
	char tmp[PATH_MAX];

	if (!*path || !str_copy(tmp, sizeof(tmp), path))
		return err_set(err, ERR_INVALID, "bad directory path \"%.80s\"", path);
	for (char *p = tmp + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(tmp, mode) < 0 && errno != EEXIST)
			return err_sys(err, ERR_IO, "create directory %s", tmp);
		*p = '/';
	}
	if (mkdir(tmp, mode) < 0 && errno != EEXIST)
		return err_sys(err, ERR_IO, "create directory %s", tmp);
	return 0;
}

int fd_lock(int fd, unsigned int bound_ms)
{
	static const struct timespec pause = { .tv_nsec = LOCK_PAUSE_MS * 1000000 };
	unsigned int waited = 0;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK || waited >= bound_ms)
			return -1;
		nanosleep(&pause, NULL);
		waited += LOCK_PAUSE_MS;
	}
	return 0;
}
