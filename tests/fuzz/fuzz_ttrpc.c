/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/task.pb-c.h"
#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/mem.h"
#include "shim/host/tunnel.h"
#include "shim/ttrpc/server.h"
#include "tests/fuzz/fuzz.h"

/*
 * The whole server with three methods, over a socket: one answers at once, one keeps its calls
 * until the peer has gone, one is the streams of processes. Of these, "o" and "i" belong to a
 * process that has written something and reads everything. Every request is answered at most once,
 * in whole frames. The first byte of the input is the size of the pieces the rest arrives in.
 */
enum { PIPE_BYTES = 40000 };
static struct {
	struct loop loop;
	struct server server;
	struct timer stop;
	struct sockaddr_un address;
	socklen_t address_len;
	unsigned int kept;
	struct tunnels tunnels;
	struct tunnel *out, *in;
	int out_fds[2], in_fds[2];
} f;

static void answer(void *owner, struct call *call)
{
	const Crossarch__CreateTaskRequest *r = call->request;
	Crossarch__PidResponse reply = CROSSARCH__PID_RESPONSE__INIT;
	struct err err;

	(void)owner;
	reply.pid = (uint32_t)strlen(r->id);
	for (size_t i = 0; i < r->n_rootfs; i++)
		reply.pid += (uint32_t)strlen(r->rootfs[i]->source);
	if (reply.pid % 2 == 0) {
		call_reply(call, &reply.base);
	} else {
		err_set(&err, ERR_NOT_FOUND, "%.100s", r->bundle);
		call_fail(call, &err);
	}
}

static void gone(struct call *call)
{
	f.kept--;
	call_reply(call, NULL);
}

static void keep(void *owner, struct call *call)
{
	(void)owner;
	f.kept++;
	call->on_peer_gone = gone;
}

static void stream(void *owner, struct call *call)
{
	(void)owner;
	tunnels_stream(&f.tunnels, call);
}

static const struct method methods[] = {
	{ "a", "b", &crossarch__create_task_request__descriptor, answer, false },
	{ "a", "c", &crossarch__process_request__descriptor, keep, false },
	{ "a", "d", NULL, stream, false },
};

static void on_stop(struct timer *t)
{
	(void)t;
	f.loop.quit = true;
}

static void turn(void)
{
	struct err err;

	f.loop.quit = false;
	timer_arm(&f.stop, &f.loop, 0);
	ASSERT(loop_run(&f.loop, &err) == 0);
}

/* --- the process -------------------------------------------------------------------------- */

static void on_change(struct tunnel *t)
{
	if (t == f.out && t->over)
		tunnel_free(steal(f.out));
	if (t == f.in && t->over)
		tunnel_free(steal(f.in));
}

static void process_begin(void)
{
	static const uint8_t bytes[PIPE_BYTES];
	struct err err;

	ASSERT(fd_pipe(&f.out_fds[0], &f.out_fds[1], O_NONBLOCK, &err) == 0);
	ASSERT(fd_pipe(&f.in_fds[0], &f.in_fds[1], O_NONBLOCK, &err) == 0);
	ASSERT(write(f.out_fds[1], bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes));
	fd_close(&f.out_fds[1]);
}

/* Whatever stream is there by now gets its process; the input is read away, and its end asked for.
 */
static void process_goes_on(void)
{
	uint8_t sink[4096];
	struct err err;

	if (!f.out && f.out_fds[0] >= 0 &&
	    tunnel_take(&f.tunnels, "ttrpc+unix:///s?streaming_id=o", &f, &f.out, &err) == 0)
		ASSERT(tunnel_start(f.out, &f.loop, f.out_fds[0], false, on_change, &err) == 0);
	if (!f.in &&
	    tunnel_take(&f.tunnels, "ttrpc+unix:///s?streaming_id=i", &f, &f.in, &err) == 0)
		ASSERT(tunnel_start(f.in, &f.loop, f.in_fds[1], true, on_change, &err) == 0);
	ASSERT(!f.in || f.in->held.len <= TUNNEL_WINDOW);
	ASSERT(!f.out || f.out->total <= PIPE_BYTES);
	if (read(f.in_fds[0], sink, sizeof(sink)) > 0 && f.in)
		tunnel_close_input(f.in);
}

static void process_ends(void)
{
	tunnel_free(steal(f.out));
	tunnel_free(steal(f.in));
	for (int n = 0; n < 2; n++) {
		fd_close(&f.out_fds[n]);
		fd_close(&f.in_fds[n]);
	}
}

static void begin(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct err err;

	f.stop.on_fire = on_stop;
	f.address.sun_family = AF_UNIX;
	f.address_len = sizeof(f.address);
	log_set_level(LOG_ERROR);
	tunnels_init(&f.tunnels, "/s");
	/* Bound to nothing but the family: the kernel invents an abstract name. */
	ASSERT(fd >= 0 && bind(fd, (struct sockaddr *)&f.address, sizeof(sa_family_t)) == 0);
	ASSERT(getsockname(fd, (struct sockaddr *)&f.address, &f.address_len) == 0);
	ASSERT(listen(fd, 8) == 0 && loop_init(&f.loop, &err) == 0);
	ASSERT(server_init(&f.server, &f.loop, fd, methods, ARRAY_SIZE(methods), NULL, &err) == 0);
}

/* Whole frames with the ids of requests. What arrives in one piece is enough to look at. */
static void check_answers(int fd)
{
	static uint8_t answers[1 << 16];
	ssize_t n = recv(fd, answers, sizeof(answers), MSG_DONTWAIT);

	for (ssize_t at = 0; at + FRAME_HEADER <= n;) {
		struct frame frame;

		frame_decode(answers + at, &frame);
		ASSERT(frame.type == FRAME_RESPONSE || frame.type == FRAME_DATA);
		ASSERT(frame.length <= FRAME_MAX);
		at += FRAME_HEADER + (ssize_t)frame.length;
		ASSERT(at <= n || n == sizeof(answers));
	}
}

void fuzz_one(uint8_t *bytes, size_t n)
{
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t piece = n ? bytes[0] * 16u + 1 : 1;

	if (!f.stop.on_fire)
		begin();
	process_begin();
	ASSERT(connect(fd, (struct sockaddr *)&f.address, f.address_len) == 0);
	turn();
	if (n / piece > 64)
		piece = n / 64;
	for (size_t at = 1; at < n; at += piece) {
		(void)!send(fd, bytes + at, n - at < piece ? n - at : piece,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
		turn();
		process_goes_on();
	}
	turn();
	check_answers(fd);
	fd_close(&fd);
	for (int i = 0; i < 64 && f.server.n_conns; i++)
		turn();
	process_ends();
	ASSERT(f.server.n_conns == 0 && f.kept == 0 && list_empty(&f.tunnels.all));
}
