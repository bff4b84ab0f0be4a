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

/* Writes what a short write left. 0 bytes left gives 1, so that the pair is tried again. */
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
	return 1;
}

static int keep_rest(struct relay *r, const uint8_t *bytes, size_t n)
{
	r->rest = malloc(n);
	if (!r->rest)
		return -1;
	memcpy(r->rest, bytes, n);
	r->rest_at = 0;
	r->rest_len = (uint16_t)n;
	return 0;
}

/* One block by read() and write(). As splice(): bytes, 0 at the end, -1 and errno. */
static ssize_t move_copy(struct relay *r)
{
	uint8_t block[COPY_BYTES];
	ssize_t n, done;

	if (r->rest_len)
		return write_rest(r);
	n = read(r->in.fd, block, sizeof(block));
	if (n <= 0)
		return n;
	done = write(r->out.fd, block, (size_t)n);
	if (done < 0 && errno != EAGAIN && errno != EINTR)
		return -1;
	if (done < 0)
		done = 0;
	r->total += (size_t)done;
	if (done < n && keep_rest(r, block + done, (size_t)(n - done)) < 0)
		return -1;
	return n;
}

static ssize_t move(struct relay *r)
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

static void count(struct relay *r, size_t n)
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

static void end(struct relay *r, int errnum)
{
	relay_stop(r);
	r->on_end(r, errnum);
}

/*
 * One move per wake-up: a busy stream shares the loop with the others, and the side that is watched
 * stays the same while data flows. epoll is level-triggered, so nothing is lost by returning.
 */
static void pump(struct relay *r)
{
	ssize_t n = move(r);

	if (n > 0) {
		count(r, (size_t)n);
		if (r->rest_len)
			watch(r, false);
	} else if (n == 0 || errno == EIO) {
		end(r, 0);
	} else if (errno == EAGAIN) {
		watch(r, source_empty(r));
	} else if (errno != EINTR) {
		end(r, errno);
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

int relay_start(struct relay *r, struct loop *loop, int in, int out,
		void (*on_end)(struct relay *, int errnum), struct err *err)
{
	*r = (struct relay){ .on_end = on_end };
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
	source_deinit(&r->in);
	source_deinit(&r->out);
	free(steal(r->rest));
	r->rest_len = 0;
}
