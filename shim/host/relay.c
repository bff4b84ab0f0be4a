/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

/* Asked of every splice(): more than any pipe holds, so one call empties or fills a side. */
#define SPLICE_BYTES (1u << 20)
#define COPY_BYTES 4096

/*
 * A source that brings more than 16 MiB within a second gets a pipe of 1 MiB: fewer, larger moves,
 * which halves our processor time. Not every pipe, because the kernel counts the capacity of all
 * pipes of a user, and when root's are too many gives the containers of root very small ones.
 */
#define BUSY_BYTES (16u << 20)
#define BUSY_NS S_TO_NS(1)
#define BUSY_PIPE_BYTES (1 << 20)

/* Writes what is left of a block. A write of nothing gives 1, so that the pair is tried again. */
static ssize_t write_rest(struct relay *r)
{
	ssize_t n = write(r->out.fd, r->rest + r->rest_at, r->rest_len);

	if (n < 0)
		return -1;
	r->total += (size_t)n;
	r->rest_at = (uint16_t)(r->rest_at + n);
	r->rest_len = (uint16_t)(r->rest_len - n);
	if (!r->rest_len)
		free(steal(r->rest));
	return n ? n : 1;
}

/*
 * One block by read() and write(). As splice(): bytes, 0 at the end, -1 and errno. What was read
 * stays in hand until it is written, whatever fails in between.
 */
static ssize_t move_copy(struct relay *r)
{
	ssize_t n;

	if (r->rest_len)
		return write_rest(r);
	r->rest = malloc(COPY_BYTES);
	if (!r->rest)
		return -1;
	n = read(r->in.fd, r->rest, COPY_BYTES);
	if (n <= 0) {
		free(steal(r->rest));
		return n;
	}
	r->rest_at = 0;
	r->rest_len = (uint16_t)n;
	return write_rest(r);
}

static ssize_t move_bytes(struct relay *r)
{
	ssize_t n;

	if (!r->copies) {
		n = splice(r->in.fd, NULL, r->out.fd, NULL, SPLICE_BYTES,
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		if (n > 0)
			r->total += (size_t)n;
		if (n >= 0 || errno != EINVAL)
			return n;
		r->copies = true;
	}
	return move_copy(r);
}

/* EAGAIN does not say which side it is about; what the source still holds does. */
static bool source_empty(const struct relay *r)
{
	int left = 0;

	if (r->rest_len)
		return false;
	return ioctl(r->in.fd, FIONREAD, &left) < 0 || left == 0;
}

static void watch(struct relay *r, bool in)
{
	source_want(&r->in, in ? EPOLLIN : 0);
	source_want(&r->out, in ? 0 : EPOLLOUT);
}

static void count_bytes(struct relay *r, size_t n)
{
	uint64_t now;

	r->moved = true;
	r->window += (uint32_t)n;
	if (r->grown || r->window < BUSY_BYTES)
		return;
	now = now_ns();
	if (now - r->window_at < BUSY_NS) {
		(void)fcntl(r->in.fd, F_SETPIPE_SZ, BUSY_PIPE_BYTES);
		r->grown = true;
	}
	r->window = 0;
	r->window_at = now;
}

static void end_relay(struct relay *r, int errnum)
{
	relay_stop(r);
	r->on_end(r, errnum);
}

/* No descriptor becomes ready when there is memory again, so it is tried again a little later. */
static bool no_memory(struct relay *r)
{
	if (errno != ENOMEM && errno != ENOBUFS)
		return false;
	source_want(&r->in, 0);
	source_want(&r->out, 0);
	timer_arm(&r->again, r->in.loop, LOOP_RETRY_NS);
	return true;
}

/*
 * One move per wake-up: a busy stream shares the loop with the others, and the side that is watched
 * stays the same while data flows. epoll is level-triggered, so nothing is lost by returning.
 */
static void pump(struct relay *r)
{
	ssize_t n = move_bytes(r);

	if (n > 0) {
		count_bytes(r, (size_t)n);
		if (r->rest_len)
			watch(r, false);
	} else if (n == 0 || errno == EIO) {
		end_relay(r, 0);
	} else if (errno == EAGAIN) {
		watch(r, source_empty(r));
	} else if (errno != EINTR && !no_memory(r)) {
		end_relay(r, errno);
	}
}

static void on_in(struct source *src)
{
	pump(container_of(src, struct relay, in));
}

static void on_out(struct source *src)
{
	pump(container_of(src, struct relay, out));
}

static void on_again(struct timer *t)
{
	struct relay *r = container_of(t, struct relay, again);

	watch(r, true);
	pump(r);
}

int relay_start(struct relay *r, struct loop *loop, int in, int out,
		void (*on_end)(struct relay *, int errnum), struct err *err)
{
	*r = (struct relay){ .on_end = on_end, .again.on_fire = on_again };
	if (source_init(&r->in, loop, in, EPOLLIN, on_in, err) < 0)
		return -1;
	if (source_init(&r->out, loop, out, 0, on_out, err) < 0) {
		relay_stop(r);
		return -1;
	}
	return 0;
}

bool relay_running(const struct relay *r)
{
	return r->in.loop != NULL;
}

bool relay_blocked(const struct relay *r)
{
	return relay_running(r) && r->out.want != 0;
}

void relay_stop(struct relay *r)
{
	timer_disarm(&r->again);
	source_deinit(&r->in);
	source_deinit(&r->out);
	free(steal(r->rest));
	r->rest_len = 0;
}
