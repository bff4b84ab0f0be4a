/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/tunnel_output.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "shim/host/stream_message.h"

/* Read at least, where the kernel cannot say how much there is. */
#define READ_MIN 1024u

/*
 * A client of 2.4 holds 64 messages; if its reader takes none of one more for a second, it drops
 * the stream (vendor/github.com/containerd/ttrpc, stream.go). Only an update of the window shows
 * that it has read something, and small messages fill no window. So when this many may be unread,
 * small ones come no faster than PACE_NS, and what comes meanwhile is sent with them.
 */
#define UNREAD_MAX 32u
#define SMALL_BYTES 1024u
#define PACE_NS MS_TO_NS(50)

/* containerd's reader asks for that much more when it has less than that left. */
#define CLIENT_WINDOW (64 << 10)
#define CREDIT_MAX (1u << 30)

bool tunnel_blocked(const struct tunnel *t)
{
	return t->ended || !t->call || !t->credit || call_unsent(t->call);
}

size_t tunnel_unread(const struct tunnel *t)
{
	return t->call && t->total ? call_unread(t->call) : 0;
}

/* Without credit only the end is of interest, which needs none: that comes with EPOLLHUP. */
void output_watch(struct tunnel *t)
{
	bool wait = !t->call || call_unsent(t->call) || timer_armed(&t->again);

	if (tunnel_running(t))
		source_want(&t->pipe, wait ? 0 : t->credit ? EPOLLIN : EPOLLRDHUP);
}

static void pause_output(struct tunnel *t, uint64_t ns)
{
	timer_arm(&t->again, t->pipe.loop, ns);
	output_watch(t);
}

/* The client learns of the end; `over` once it has closed its side, for then it has read all. */
static void end(struct tunnel *t)
{
	t->ended = true;
	source_deinit(&t->pipe);
	call_close(t->call);
}

/* Whoever has read the message after which its window is small asks for more. */
static void note_sent(struct tunnel *t, size_t n)
{
	t->window -= (int64_t)n;
	t->sent++;
	if (t->window < CLIENT_WINDOW && !t->asks)
		t->asks = t->sent;
}

static void note_update(struct tunnel *t, uint32_t n)
{
	t->window += n;
	if (t->asks)
		t->sure = t->asks;
	if (t->window >= CLIENT_WINDOW)
		t->asks = 0;
}

static void count_sent(struct tunnel *t, size_t n)
{
	t->total += n;
	t->credit -= (uint32_t)n;
	t->moved = true;
	note_sent(t, n);
	if (n < SMALL_BYTES && t->sent - t->sure > UNREAD_MAX)
		pause_output(t, PACE_NS);
}

static unsigned int pending(const struct tunnel *t)
{
	int n = 0;

	return ioctl(t->pipe.fd, FIONREAD, &n) == 0 && n > 0 ? (unsigned int)n : 0;
}

static size_t read_size(const struct tunnel *t)
{
	unsigned int n = pending(t);

	n = n > READ_MIN ? n : READ_MIN;
	n = n < STREAM_DATA_MAX ? n : STREAM_DATA_MAX;
	return n < t->credit ? n : t->credit;
}

/* One message per wake-up: a busy stream shares the loop with the others. */
static void pump(struct tunnel *t)
{
	uint8_t block[STREAM_HEAD_MAX + STREAM_DATA_MAX], *data = block + STREAM_HEAD_MAX, *head;
	size_t size = read_size(t);
	struct err err;
	ssize_t n;

	/* First the memory: what has been read could not be put back. */
	if (call_reserve(t->call, STREAM_HEAD_MAX + size, &err) < 0) {
		pause_output(t, LOOP_RETRY_NS);
		return;
	}
	n = read(t->pipe.fd, data, size);
	if (n > 0) {
		head = stream_data_head(data, (size_t)n);
		/* Cannot fail after call_reserve(). */
		(void)!call_send_message(t->call, head, (size_t)(data + n - head), &err);
		count_sent(t, (size_t)n);
		output_watch(t);
	} else if (n == 0 || errno != EAGAIN) {
		if (n < 0 && (errno == EINTR || errno == ENOMEM))
			pause_output(t, LOOP_RETRY_NS);
		else
			end(t);
	}
}

void output_credit(struct tunnel *t, uint32_t n)
{
	t->credit = n < CREDIT_MAX - t->credit ? t->credit + n : CREDIT_MAX;
	note_update(t, n);
	output_watch(t);
}

void output_ready(struct tunnel *t)
{
	if (!t->call || call_unsent(t->call))
		output_watch(t);
	else if (t->credit)
		pump(t);
	else if (pending(t))
		source_want(&t->pipe, 0); /* the hang-up would wake us for ever */
	else
		end(t);
}
