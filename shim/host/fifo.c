/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/fifo.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

/* The bound containerd's own shim has for a reader to appear. */
#define WAIT_FOR_READER S_TO_NS(30)
#define PAUSE_FIRST_MS 1
#define PAUSE_MAX_MS 20

int fifo_is(const char *path, bool *ret, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "open %s", path);
	*ret = S_ISFIFO(st.st_mode);
	return 0;
}

/* Never waits. */
static int open_end(const char *path, int mode)
{
	return open(path, mode | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

int fifo_open_read(struct fifo *f, const char *path, struct err *err)
{
	*f = (struct fifo){ .fd = open_end(path, O_RDONLY), .other = -1 };
	if (f->fd < 0)
		return err_sys(err, ERR_IO, "open %s for reading", path);
	f->other = open_end(path, O_WRONLY);
	if (f->other < 0) {
		err_sys(err, ERR_IO, "open %s for writing", path);
		fifo_deinit(f);
		return -1;
	}
	return 0;
}

/* 1: both ends are open. 0: there is no reader yet. */
static int try_write_end(struct fifo *f, const char *path, struct err *err)
{
	CLEANUP_FD int fd = open_end(path, O_WRONLY);

	if (fd < 0 && errno == ENXIO)
		return 0;
	if (fd < 0)
		return err_sys(err, ERR_IO, "open %s for writing", path);
	f->other = open_end(path, O_RDONLY);
	if (f->other < 0)
		return err_sys(err, ERR_IO, "open %s for reading", path);
	f->fd = fd_steal(&fd);
	return 1;
}

static void wait_more(struct fifo *f)
{
	timer_arm(&f->retry, f->loop, MS_TO_NS(f->pause));
	f->pause = f->pause * 2 < PAUSE_MAX_MS ? f->pause * 2 : PAUSE_MAX_MS;
}

static void on_retry(struct timer *t)
{
	struct fifo *f = container_of(t, struct fifo, retry);
	struct err err = ERR_INIT;
	int opened = try_write_end(f, f->path, &err);

	if (opened == 0 && now_ns() < f->give_up) {
		wait_more(f);
		return;
	}
	if (opened == 0)
		opened = err_set(&err, ERR_TIMEOUT, "nobody opened %s for reading within 30 s",
				 f->path);
	free(steal(f->path));
	f->on_open(f, opened < 0 ? &err : NULL);
}

int fifo_open_write(struct fifo *f, struct loop *loop, const char *path,
		    void (*on_open)(struct fifo *, const struct err *failed), struct err *err)
{
	int opened;

	*f = (struct fifo){ .fd = -1, .other = -1, .loop = loop, .on_open = on_open };
	opened = try_write_end(f, path, err);
	if (opened)
		return opened < 0 ? -1 : 0;
	f->path = strdup(path);
	if (!f->path)
		return err_set(err, ERR_NOMEM, "no memory for a path");
	f->retry.on_fire = on_retry;
	f->give_up = now_ns() + WAIT_FOR_READER;
	f->pause = PAUSE_FIRST_MS;
	wait_more(f);
	return 0;
}

bool fifo_waiting(const struct fifo *f)
{
	return f->path != NULL;
}

size_t fifo_unread(const struct fifo *f)
{
	int n = 0;

	return f->other >= 0 && ioctl(f->other, FIONREAD, &n) == 0 && n > 0 ? (size_t)n : 0;
}

/* Another descriptor of the same FIFO, whose name may be gone; -1 and errno. */
static int open_again(int fd, int mode)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open_end(path, mode);
}

bool fifo_has_reader(struct fifo *f)
{
	CLEANUP_FD int own = f->fd < 0 && f->other >= 0 ? open_again(f->other, O_WRONLY) : -1;
	struct pollfd p = { .fd = f->fd >= 0 ? f->fd : own, .events = POLLOUT };
	bool had_reader;

	if (p.fd < 0)
		return false;
	fd_close(&f->other);
	had_reader = poll(&p, 1, 0) < 0 || !(p.revents & POLLERR);
	f->other = open_again(p.fd, O_RDONLY);
	return had_reader;
}

void fifo_end(struct fifo *f)
{
	fd_close(&f->fd);
}

void fifo_deinit(struct fifo *f)
{
	timer_disarm(&f->retry);
	free(steal(f->path));
	fd_close(&f->fd);
	fd_close(&f->other);
}
