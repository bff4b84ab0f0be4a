/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/console.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

/* The engine sends a name along. The descriptor comes with its first byte, the rest is not read. */
#define NAME_READ 16

/* The address of @name in the directory @dir. A bundle's path may be longer than an address. */
static int address(int dir, const char *name, struct sockaddr_un *ret, struct err *err)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (str_fmt(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s", dir, name))
		return 0;
	return err_set(err, ERR_INVALID, "name of a console socket is too long: %s", name);
}

int console_listen(const char *dir, const char *name, int *ret_fd, struct err *err)
{
	CLEANUP_FD int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un addr;

	if (dirfd < 0 || fd < 0)
		return err_sys(err, ERR_IO, "console socket in %s", dir);
	if (address(dirfd, name, &addr, err) < 0)
		return -1;
	(void)unlinkat(dirfd, name, 0);
	/* The file that bind() makes has the mode of the socket. */
	if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_sys(err, ERR_IO, "bind console socket %s/%s", dir, name);
	if (listen(fd, 1) < 0) {
		err_sys(err, ERR_IO, "listen on console socket %s/%s", dir, name);
		(void)unlinkat(dirfd, name, 0);
		return -1;
	}
	*ret_fd = fd_steal(&fd);
	return 0;
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

void console_close(const char *dir, char *name, int *listen_fd)
{
	CLEANUP_FD int dirfd = *name ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	fd_close(listen_fd);
	if (dirfd >= 0)
		(void)unlinkat(dirfd, name, 0);
	*name = '\0';
}
