/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/connect.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

/* connect(2) waits in the kernel, bounded by the send timeout of the socket (unix(7)). */
static int set_timeout(int fd, unsigned int ms, struct err *err)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) < 0)
		return err_sys(err, ERR_IO, "limit the time to connect");
	return 0;
}

static int connect_failed(const char *path, struct err *err)
{
	switch (errno) {
	case ENOENT:
		return err_sys(err, ERR_NOT_FOUND, "connect to %s", path);
	case EAGAIN:
		return err_set(err, ERR_TIMEOUT, "connect to %s: nobody answers there in time",
			       path);
	default:
		return err_sys(err, ERR_IO, "connect to %s", path);
	}
}

int unix_connect(const char *path, unsigned int timeout_ms, int *ret_fd, struct err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *bare = str_after(path, "unix://");
	CLEANUP_FD int fd = -1;

	bare = bare ? bare : path;
	if (!str_copy(addr.sun_path, sizeof(addr.sun_path), bare))
		return err_set(err, ERR_INVALID, "socket path longer than %zu bytes: %.120s",
			       sizeof(addr.sun_path) - 1, bare);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, ERR_IO, "make a socket");
	if (set_timeout(fd, timeout_ms, err) < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return connect_failed(bare, err);
	*ret_fd = fd_steal(&fd);
	return 0;
}
