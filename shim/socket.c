/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/base/sha256.h"
#include "runtime/base/str.h"
#include "shim/ttrpc/frame.h"

#define BACKLOG 128
/* Nothing that is done under the lock takes long: a process that has it for this long hangs. */
#define LISTEN_BOUND_MS 5000
#define REMOVE_BOUND_MS 200
/* A shim answers at once; one that is being killed is gone in a moment, on a busy node in two. */
#define ASK_BOUND_MS 300
#define END_TRIES 60
#define END_PAUSE_NS 5000000

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

/* A request that no server can take, so that it changes nothing: its stream has no number. */
static int send_question(int fd)
{
	const struct frame question = { .type = FRAME_REQUEST };
	uint8_t bytes[FRAME_HEADER];

	frame_encode(&question, bytes);
	return send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -1 : 0;
}

enum socket_state socket_ask(const char *path, int bound_ms)
{
	struct sockaddr_un addr;
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;

	if (fd < 0 || !address_of(path, &addr))
		return SOCKET_UNKNOWN;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return errno == ECONNREFUSED || errno == ENOENT ? SOCKET_DEAD : SOCKET_UNKNOWN;
	if (send_question(fd) < 0)
		return SOCKET_DEAD;
	if (poll(&p, 1, bound_ms) <= 0)
		return SOCKET_UNKNOWN;
	return recv(fd, &byte, 1, MSG_DONTWAIT) == 1 ? SOCKET_ALIVE : SOCKET_DEAD;
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

/* 1: somebody listens there already. */
static int listen_once(const char *path, int *ret_fd, struct err *err)
{
	CLEANUP_FD int lock = lock_dir(path, LISTEN_BOUND_MS, err);

	if (lock < 0)
		return -1;
	if (bind_at(path, ret_fd) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return err_sys(err, ERR_IO, "listen at %s", path);
	switch (socket_state(path)) {
	case SOCKET_ALIVE:
		return 1;
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

static void pause_for_end(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = END_PAUSE_NS }, NULL);
}

/* The lock is free while we wait for a listener that may be about to end. */
int socket_listen(const char *path, int *ret_fd, struct err *err)
{
	int rc;

	*ret_fd = -1;
	for (int i = 0; i < END_TRIES; i++) {
		rc = listen_once(path, ret_fd, err);
		if (rc <= 0)
			return rc;
		if (socket_ask(path, ASK_BOUND_MS) != SOCKET_DEAD)
			return 0;
		pause_for_end();
	}
	return 0;
}

void socket_remove_stale(const char *path)
{
	CLEANUP_FD int lock = -1;
	struct stat st;
	struct err err;

	if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode) ||
	    socket_ask(path, ASK_BOUND_MS) != SOCKET_DEAD)
		return;
	for (int i = 0; i < END_TRIES && socket_state(path) == SOCKET_ALIVE; i++)
		pause_for_end();
	lock = lock_dir(path, REMOVE_BOUND_MS, &err);
	if (lock >= 0 && socket_state(path) == SOCKET_DEAD)
		unlink(path);
}
