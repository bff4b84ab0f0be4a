/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/console.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

/* The engine sends a name along. The descriptor comes with its first byte, the rest is not read. */
#define NAME_READ 16

/* Makes <@parent>/crossarch-pty.XXXXXX and leaves the socket's path in @path. */
static bool make_dir(const char *parent, char *path, size_t size)
{
	size_t n;

	if (!parent || *parent != '/' || !str_fmt(path, size, "%s/crossarch-pty.XXXXXX", parent))
		return false;
	n = strlen(path);
	if (n + sizeof("/s") > size || !mkdtemp(path))
		return false;
	memcpy(path + n, "/s", sizeof("/s"));
	return true;
}

static int listen_at(const char *path, int *ret_fd, struct err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = -1;

	if (!str_copy(addr.sun_path, sizeof(addr.sun_path), path))
		return err_set(err, ERR_INVALID, "socket path too long: %s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 1) < 0)
		return err_sys(err, ERR_IO, "listen on console socket %s", path);
	*ret_fd = fd_steal(&fd);
	return 0;
}

int console_listen(char *ret_path, size_t size, int *ret_fd, struct err *err)
{
	if (!make_dir(getenv("XDG_RUNTIME_DIR"), ret_path, size) &&
	    !make_dir("/run", ret_path, size) && !make_dir("/tmp", ret_path, size)) {
		*ret_path = '\0';
		return err_sys(err, ERR_IO, "create a directory for the console socket");
	}
	*ret_fd = -1;
	if (listen_at(ret_path, ret_fd, err) == 0)
		return 0;
	console_close(ret_path, ret_fd);
	return -1;
}

/* The first descriptor of a message; the kernel closed nothing for us, so further ones are. */
static int take_fd(struct msghdr *msg)
{
	int taken = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (taken < 0)
				taken = fd;
			else
				close(fd);
		}
	}
	return taken;
}

int console_receive(int listen_fd, int *ret_master, struct err *err)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control;
	char name[NAME_READ];
	struct iovec iov = { .iov_base = name, .iov_len = sizeof(name) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	CLEANUP_FD int conn = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	CLEANUP_FD int master = -1;

	if (conn < 0)
		return err_set(err, ERR_ENGINE, "the engine did not open the console socket");
	if (recvmsg(conn, &msg, MSG_CMSG_CLOEXEC) < 0)
		return err_sys(err, ERR_ENGINE, "the engine sent no terminal");
	master = take_fd(&msg);
	if (master < 0 || !isatty(master))
		return err_set(err, ERR_ENGINE, "the engine sent no terminal");
	if (fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return err_sys(err, ERR_IO, "prepare the terminal");
	*ret_master = fd_steal(&master);
	return 0;
}

void console_close(char *path, int *listen_fd)
{
	fd_close(listen_fd);
	if (!*path)
		return;
	unlink(path);
	rmdir(dirname(path));
	*path = '\0';
}
