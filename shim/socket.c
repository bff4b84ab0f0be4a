/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/base/sha256.h"
#include "runtime/base/str.h"

#define BACKLOG 128
/* What is done under the lock takes no time; whoever holds it for so long hangs. */
#define LISTEN_BOUND_MS 5000
#define REMOVE_BOUND_MS 200

int socket_path(const char *dir, const char *address, const char *ns, const char *key,
		char ret[SOCKET_PATH_MAX + 1], struct err *err)
{
	char joined[4096], hex[65];

	if (!str_fmt(joined, sizeof(joined), "%s/%s/%s/crossarch", address, ns, key))
		return err_set(err, ERR_INVALID, "containerd's address is too long: %.80s",
			       address);
	sha256_hex(joined, strlen(joined), hex);
	if (!str_fmt(ret, SOCKET_PATH_MAX + 1, "%s/%s", *dir ? dir : SOCKET_DIR, hex))
		return err_set(err, ERR_INVALID, "socket directory is too long: %.80s", dir);
	return 0;
}

static bool address_of(const char *path, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return str_copy(ret->sun_path, sizeof(ret->sun_path), path);
}

enum socket_state socket_state(const char *path)
{
	struct sockaddr_un addr;
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || !address_of(path, &addr))
		return SOCKET_UNKNOWN;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 || errno == EAGAIN)
		return SOCKET_ALIVE;
	return errno == ECONNREFUSED || errno == ENOENT ? SOCKET_DEAD : SOCKET_UNKNOWN;
}

static int bind_at(const char *path, int *ret_fd)
{
	struct sockaddr_un addr;
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t old;
	int rc;

	if (fd < 0 || !address_of(path, &addr))
		return -1;
	old = umask(0177);
	rc = bind(fd, (struct sockaddr *)&addr, sizeof(addr));
	umask(old);
	if (rc < 0 || listen(fd, BACKLOG) < 0)
		return -1;
	*ret_fd = fd_steal(&fd);
	return 0;
}

static int lock_dir(const char *path, unsigned int bound_ms, struct err *err)
{
	char copy[SOCKET_PATH_MAX + 1];
	const char *dir;
	int fd;

	if (!str_copy(copy, sizeof(copy), path))
		return err_set(err, ERR_INVALID, "socket path is too long: %.120s", path);
	dir = dirname(copy);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		if (dir_make(dir, 0700, err) < 0)
			return -1;
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0 || fd_lock(fd, bound_ms) == 0)
		return fd < 0 ? err_sys(err, ERR_IO, "open %s", dir) : fd;
	err_sys(err, ERR_TIMEOUT, "lock %s, which another process has held for %u ms (/proc/locks)",
		dir, bound_ms);
	close(fd);
	return -1;
}

int socket_listen(const char *path, int *ret_fd, struct err *err)
{
	CLEANUP_FD int lock = lock_dir(path, LISTEN_BOUND_MS, err);

	*ret_fd = -1;
	if (lock < 0)
		return -1;
	if (bind_at(path, ret_fd) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return err_sys(err, ERR_IO, "listen at %s", path);
	switch (socket_state(path)) {
	case SOCKET_ALIVE:
		return 0;
	case SOCKET_UNKNOWN:
		return err_sys(err, ERR_IO, "ask who listens at %s", path);
	case SOCKET_DEAD:
		break;
	}
	if (unlink(path) < 0 && errno != ENOENT)
		return err_sys(err, ERR_IO, "remove stale socket %s", path);
	if (bind_at(path, ret_fd) < 0)
		return err_sys(err, ERR_IO, "listen at %s", path);
	return 0;
}

void socket_remove_stale(const char *path)
{
	struct stat st;
	struct err err;
	CLEANUP_FD int lock = lock_dir(path, REMOVE_BOUND_MS, &err);

	if (lock >= 0 && lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    socket_state(path) == SOCKET_DEAD)
		unlink(path);
}
