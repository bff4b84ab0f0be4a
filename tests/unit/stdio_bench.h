/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "shim/host/stdio.h"
#include "shim/loop/child.h"
#include "shim/loop/loop.h"

/*
 * What the tests of streams share: a loop with a reaper, a directory, and shell commands in the
 * roles of the container's process and of the client. No test waits for a time to pass: the alarm
 * only turns a hang into a failure.
 */
struct job {
	struct child child;
	struct bench *bench;
	bool done;
	uint32_t code;
};

struct bench {
	struct loop loop;
	struct reaper reaper;
	struct timer alarm;
	struct stdio io;
	char dir[64];
	bool ready, ready_failed, handed, drained, free_in_callback;
	struct err why;
};

static inline void bench_on_alarm(struct timer *t)
{
	(void)t;
	fail_msg("nothing happened for too long");
}

static inline void bench_on_ready(struct stdio *io, const struct err *failed)
{
	struct bench *b = container_of(io, struct bench, io);

	assert_false(b->ready || b->ready_failed);
	b->ready = !failed;
	b->ready_failed = failed != NULL;
	if (failed)
		b->why = *failed;
	if (b->free_in_callback)
		stdio_deinit(io);
	b->loop.quit = true;
}

static inline void bench_on_handed(struct stdio *io)
{
	struct bench *b = container_of(io, struct bench, io);

	assert_false(b->handed || b->drained);
	b->handed = true;
	b->drained = stdio_drained(io);
	if (b->free_in_callback)
		stdio_deinit(io);
	b->loop.quit = true;
}

static inline void bench_on_drained(struct stdio *io)
{
	struct bench *b = container_of(io, struct bench, io);

	assert_false(b->drained);
	b->drained = true;
	if (b->free_in_callback)
		stdio_deinit(io);
	b->loop.quit = true;
}

static inline void bench_on_exit(struct child *c, const struct exit_status *status)
{
	struct job *j = container_of(c, struct job, child);

	j->done = true;
	j->code = status->code;
	j->bench->loop.quit = true;
}

static inline int bench_setup(void **state)
{
	static struct bench b;
	struct err err;

	memset(&b, 0, sizeof(b));
	b.io = (struct stdio)STDIO_INIT;
	b.io.on_ready = bench_on_ready;
	b.io.on_handed = bench_on_handed;
	b.io.on_drained = bench_on_drained;
	strcpy(b.dir, "/tmp/crossarch-test.XXXXXX");
	assert_non_null(mkdtemp(b.dir));
	assert_int_equal(loop_init(&b.loop, &err), 0);
	assert_int_equal(reaper_init(&b.reaper, &b.loop, &err), 0);
	b.alarm.on_fire = bench_on_alarm;
	timer_arm(&b.alarm, &b.loop, S_TO_NS(60));
	*state = &b;
	return 0;
}

/* "<dir>/<name>"; four results are valid at a time. */
static inline const char *bench_path(struct bench *b, const char *name)
{
	static char paths[4][128];
	static unsigned int next;
	char *p = paths[next++ % 4];

	assert_true(str_fmt(p, sizeof(paths[0]), "%s/%s", b->dir, name));
	return p;
}

static inline int bench_teardown(void **state)
{
	struct bench *b = *state;
	char command[128];

	stdio_deinit(&b->io);
	stdio_deinit(&b->io);
	assert_string_equal(b->io.engine.console_socket, "");
	assert_int_equal(access(bench_path(b, "pty"), F_OK), -1);
	timer_disarm(&b->alarm);
	reaper_deinit(&b->reaper);
	loop_deinit(&b->loop);
	str_fmt(command, sizeof(command), "rm -rf '%s'", b->dir);
	return system(command) == 0 ? 0 : -1;
}

/* Runs the loop until @flag. */
static inline void bench_until(struct bench *b, const bool *flag)
{
	struct err err;

	while (!*flag) {
		b->loop.quit = false;
		assert_int_equal(loop_run(&b->loop, &err), 0);
	}
}

static inline const char *bench_fifo(struct bench *b, const char *name)
{
	const char *path = bench_path(b, name);

	assert_int_equal(mkfifo(path, 0700), 0);
	return path;
}

/* Starts `sh -c` in the directory, with @fds as 0, 1 and 2. */
static inline void bench_run(struct bench *b, struct job *j, const char *command, const int fds[3])
{
	char shell[] = "sh", option[] = "-c", text[512];
	char *argv[] = { shell, option, text, NULL };
	struct spawn_fd map[3];
	struct spawn what = { .path = "sh", .argv = argv, .cwd = b->dir, .fds = map, .n_fds = 3 };
	struct err err;

	assert_true(str_copy(text, sizeof(text), command));
	for (int n = 0; n < 3; n++)
		map[n] = (struct spawn_fd){ .from = fds ? fds[n] : -1, .to = n };
	*j = (struct job){ .bench = b };
	assert_int_equal(child_spawn(&j->child, &b->reaper, &what, bench_on_exit, &err), 0);
}

/* The client's side of a shell command. */
static inline void bench_client(struct bench *b, struct job *j, const char *command)
{
	bench_run(b, j, command, NULL);
}

static inline void bench_open(struct bench *b, const struct stdio_spec *spec)
{
	struct stdio_spec full = *spec;
	struct err err = ERR_INIT;

	full.dir = b->dir;
	full.console = "pty";
	if (stdio_open(&b->io, &b->loop, &b->reaper, &full, &err) < 0)
		fail_msg("stdio_open: %s", err.text);
}

static inline void bench_await_ready(struct bench *b)
{
	if (!stdio_is_ready(&b->io)) {
		bench_until(b, &b->ready);
		assert_true(stdio_is_ready(&b->io) || b->free_in_callback);
	}
}

/* Runs the container's process on the opened streams up to its exit, without draining. */
static inline void bench_start(struct bench *b, struct job *j, const char *command)
{
	struct err err;

	bench_run(b, j, command, b->io.engine.fds);
	assert_int_equal(stdio_engine_done(&b->io, &err), 0);
}

/* What the engine does with its --console-socket: connect, send, and no word back. */
static inline void bench_send_fds(struct bench *b, const int *fds, size_t n)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control = { .bytes = "" };
	char name[] = "/dev/ptmx";
	struct iovec iov = { .iov_base = name, .iov_len = sizeof(name) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, bench_path(b, b->io.engine.console_socket));
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	if (n) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(&control.align), fds, n * sizeof(int));
	}
	assert_true(sendmsg(fd, &msg, 0) > 0);
}

/* Runs @command on a new terminal whose master the streams get. */
static inline void bench_start_on_terminal(struct bench *b, struct job *j, const char *command)
{
	int master, slave;
	struct err err = ERR_INIT;

	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	fcntl(master, F_SETFD, FD_CLOEXEC);
	fcntl(slave, F_SETFD, FD_CLOEXEC);
	bench_run(b, j, command, (const int[]){ slave, slave, slave });
	bench_send_fds(b, &master, 1);
	close(slave);
	close(master);
	if (stdio_engine_done(&b->io, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(b->io.engine.console_socket, "");
}

static inline void bench_exit_and_drain(struct bench *b, struct job *j)
{
	bench_until(b, &j->done);
	stdio_process_exited(&b->io);
	if (!stdio_drained(&b->io)) {
		bench_until(b, &b->drained);
		assert_true(stdio_drained(&b->io));
	}
}

/* Up to the moment when the exit may be told. */
static inline void bench_exit_and_hand(struct bench *b, struct job *j)
{
	bench_until(b, &j->done);
	stdio_process_exited(&b->io);
	if (!stdio_handed(&b->io))
		bench_until(b, &b->handed);
	assert_true(stdio_handed(&b->io));
}

static inline void bench_assert_file(struct bench *b, const char *name, const char *want)
{
	struct buf text = BUF_INIT(1 << 20);
	struct err err;

	assert_int_equal(file_read(AT_FDCWD, bench_path(b, name), &text, &err), 0);
	assert_string_equal(buf_str(&text), want);
	buf_deinit(&text);
}
