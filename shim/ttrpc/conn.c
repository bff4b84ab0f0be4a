/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/ttrpc/conn.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define READ_BYTES 4096
#define RETRY_NS MS_TO_NS(20)

/* Takes what belongs to the frame at hand from @p; the number of bytes taken, 0 on no memory. */
static size_t feed(struct conn *c, const uint8_t *p, size_t n)
{
	struct err err;
	size_t take;

	if (c->header_len < FRAME_HEADER) {
		take = FRAME_HEADER - c->header_len;
		take = take < n ? take : n;
		memcpy(c->header + c->header_len, p, take);
		c->header_len += take;
		if (c->header_len == FRAME_HEADER)
			frame_decode(c->header, &c->frame);
		return take;
	}
	if (c->frame.length > FRAME_MAX) {
		take = c->frame.length - c->discarded;
		take = take < n ? take : n;
		c->discarded += (uint32_t)take;
		return take;
	}
	take = c->frame.length - c->body.len;
	take = take < n ? take : n;
	return buf_add(&c->body, p, take, &err) < 0 ? 0 : take;
}

static bool frame_whole(const struct conn *c)
{
	if (c->header_len < FRAME_HEADER)
		return false;
	if (c->frame.length > FRAME_MAX)
		return c->discarded == c->frame.length;
	return c->body.len == c->frame.length;
}

/* The connection is ready for the next frame before the callee sees this one. */
static void hand_over(struct conn *c)
{
	struct frame frame = c->frame;
	struct buf CLEANUP_BUF body = c->body;

	c->body = (struct buf)BUF_INIT(FRAME_MAX);
	c->header_len = 0;
	c->discarded = 0;
	c->on_frame(c, &frame, frame.length > FRAME_MAX ? NULL : &body);
}

/*
 * The kernel has no memory at the moment: the connection is sound and is asked again, but not at
 * once, for it stays ready and would have us ask without end.
 */
static bool no_memory(struct conn *c)
{
	if (errno != ENOMEM && errno != ENOBUFS)
		return false;
	source_want(&c->io, 0);
	timer_arm(&c->again, c->io.loop, RETRY_NS);
	return true;
}

static void want(struct conn *c)
{
	if (!timer_armed(&c->again))
		source_want(&c->io, EPOLLIN | (c->out.len ? EPOLLOUT : 0));
}

static void on_again(struct timer *t)
{
	want(container_of(t, struct conn, again));
}

/*
 * A peer that left may have said everything before, and that is still to be read, up to its end,
 * which tells that the connection is gone. It only hears no more.
 */
static void flush(struct conn *c)
{
	while (c->out.len) {
		ssize_t n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || no_memory(c)))
			break;
		c->deaf = n < 0;
		if (c->deaf)
			buf_deinit(&c->out);
		else
			buf_consume(&c->out, (size_t)n);
	}
	want(c);
}

/*
 * One read per wake-up, so that a flooding peer cannot starve the others. Bytes of several frames
 * are handed over one frame at a time.
 */
static bool receive(struct conn *c)
{
	uint8_t block[READ_BYTES];
	ssize_t n = recv(c->fd, block, sizeof(block), MSG_DONTWAIT);
	unsigned int life = c->lives;
	size_t at = 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR || no_memory(c)))
		return true;
	if (n <= 0)
		return false;
	while (at < (size_t)n && c->lives == life) {
		size_t took = feed(c, block + at, (size_t)n - at);

		if (!took)
			return false;
		at += took;
		if (frame_whole(c))
			hand_over(c);
	}
	return true;
}

static void conn_on_io(struct source *src)
{
	struct conn *c = container_of(src, struct conn, io);
	bool alive = true;

	if (src->have & EPOLLIN)
		alive = receive(c);
	else if (src->have & (EPOLLHUP | EPOLLERR))
		alive = false;
	if (alive && c->out.len) {
		flush(c);
		if (!c->out.len && !c->deaf && c->on_sent)
			c->on_sent(c);
	}
	if (!alive)
		c->on_closed(c);
}

int conn_init(struct conn *c, struct loop *loop, int fd_take, struct err *err)
{
	c->fd = fd_take;
	c->header_len = 0;
	c->discarded = 0;
	c->deaf = false;
	c->body = (struct buf)BUF_INIT(FRAME_MAX);
	c->out = (struct buf)BUF_INIT(CONN_OUT_MAX);
	c->again = (struct timer){ .on_fire = on_again };
	if (source_init(&c->io, loop, c->fd, EPOLLIN, conn_on_io, err) == 0)
		return 0;
	conn_deinit(c);
	return -1;
}

void conn_deinit(struct conn *c)
{
	c->lives++;
	timer_disarm(&c->again);
	source_deinit(&c->io);
	fd_close(&c->fd);
	buf_deinit(&c->body);
	buf_deinit(&c->out);
}

int conn_reserve(struct conn *c, size_t n, struct err *err)
{
	if (n > FRAME_MAX)
		return err_set(err, ERR_LIMIT, "message of %zu bytes exceeds the frame limit of %u",
			       n, FRAME_MAX);
	if (buf_reserve(&c->out, FRAME_HEADER + n, err) < 0)
		return err_in(err, "output queue");
	return 0;
}

/* A frame is in the queue. What was there before it waits for the loop, and so does the frame. */
static void queued(struct conn *c, size_t n)
{
	bool first = !c->out.len;

	c->out.len += n;
	if (c->deaf)
		buf_deinit(&c->out);
	else if (first && !timer_armed(&c->again))
		flush(c);
}

int conn_send(struct conn *c, uint32_t stream, enum frame_type type, const ProtobufCMessage *msg,
	      struct err *err)
{
	size_t n = msg ? protobuf_c_message_get_packed_size(msg) : 0;
	struct frame frame = { .length = (uint32_t)n, .stream = stream, .type = (uint8_t)type };
	uint8_t *at;

	if (conn_reserve(c, n, err) < 0)
		return -1;
	at = c->out.data + c->out.len;
	frame_encode(&frame, at);
	if (msg)
		protobuf_c_message_pack(msg, at + FRAME_HEADER);
	queued(c, FRAME_HEADER + n);
	return 0;
}

int conn_send_bytes(struct conn *c, const struct frame *head, const void *payload, struct err *err)
{
	uint8_t *at;

	if (conn_reserve(c, head->length, err) < 0)
		return -1;
	at = c->out.data + c->out.len;
	frame_encode(head, at);
	if (head->length)
		memcpy(at + FRAME_HEADER, payload, head->length);
	queued(c, FRAME_HEADER + head->length);
	return 0;
}

size_t conn_unread(const struct conn *c)
{
	int n = 0;

	return c->out.len + (ioctl(c->fd, TIOCOUTQ, &n) == 0 && n > 0 ? (size_t)n : 0);
}
