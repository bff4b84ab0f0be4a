/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/handover.h"

#include <sys/ioctl.h>

/*
 * There is no event for "the reader has emptied the FIFO", so it is looked at, at once and then
 * with growing pauses.
 */
#define LOOK_FIRST_NS MS_TO_NS(1)
#define LOOK_MAX_NS MS_TO_NS(20)    /* while somebody waits for the exit */
#define LOOK_IDLE_NS S_TO_NS(1)	    /* while a client that went away may come back */
#define READER_AFTER_NS MS_TO_NS(4) /* from this pause on it is asked whether anybody reads */
#define QUIET_NS MS_TO_NS(100)

size_t stream_pending(const struct stream *s)
{
	int n = 0;

	if (s->inner < 0 || ioctl(s->inner, FIONREAD, &n) < 0 || n < 0)
		n = 0;
	return (size_t)n + s->relay.rest_len;
}

static uint64_t stream_read(const struct stream *s)
{
	return stream_total(s) - fifo_unread(&s->client);
}

static bool quiet(const struct stdio_streams *all)
{
	return now_ns() - all->read_at > QUIET_NS;
}

/*
 * The client closes a stream when it has read all, and that ends the tunnel. Where the stream goes
 * on, somebody else has it open, what lies in the client's queues cannot be counted.
 */
static bool tunnel_handed(const struct stream *s)
{
	const struct tunnel *t = s->tunnel;

	if (t->ended || (!s->all->terminal && !s->due))
		return !t->total;
	return t->total >= s->due && !tunnel_unread(t) && quiet(s->all);
}

/*
 * The last bytes of a terminal are in the kernel's hands for a moment, where nobody can count them:
 * its end is waited for, which comes when the last one closes it, or a short silence.
 */
static bool stream_handed(const struct stream *s)
{
	const struct stdio_streams *all = s->all;
	size_t unread = fifo_unread(&s->client);

	if (s->tunnel)
		return tunnel_handed(s);
	if (!relay_running(&s->relay))
		return !unread;
	if (all->terminal)
		return !unread && quiet(all);
	return s->relay.total >= s->due + unread;
}

static bool outputs_handed(const struct stdio_streams *all)
{
	return stream_handed(&all->of[STREAM_OUT]) && stream_handed(&all->of[STREAM_ERR]);
}

static bool output_unread(const struct stream *s)
{
	if (s->tunnel)
		return s->tunnel->ended || tunnel_unread(s->tunnel) || stream_pending(s);
	return fifo_unread(&s->client);
}

static bool has_reader(struct stream *s)
{
	return s->tunnel ? tunnel_attached(s->tunnel) : fifo_has_reader(&s->client);
}

/* True when something is unread and nobody reads it. */
static bool outputs_deserted(struct stdio_streams *all)
{
	bool unread = false;

	for (int n = STREAM_OUT; n <= STREAM_ERR; n++) {
		if (!output_unread(&all->of[n]))
			continue;
		if (has_reader(&all->of[n]))
			return false;
		unread = true;
	}
	return unread;
}

/* True when the client reads nothing for longer than we wait for it. */
static bool outputs_stalled(struct stdio_streams *all)
{
	uint64_t now = now_ns();
	uint64_t n = stream_read(&all->of[STREAM_OUT]) + stream_read(&all->of[STREAM_ERR]);

	if (n != all->read)
		all->read_at = now;
	all->read = n;
	return now - all->read_at >= all->patience;
}

bool handover_over(struct stdio_streams *all)
{
	return outputs_handed(all) || outputs_stalled(all) ||
	       (all->pause >= READER_AFTER_NS && outputs_deserted(all));
}

bool stream_unread(const struct stream *s)
{
	return stream_open(s) && !s->tunnel && !relay_running(&s->relay) &&
	       !fifo_waiting(&s->client);
}

/* Something to look at again: an exit that is not told yet, or output that is through, unread. */
static bool look_needed(const struct stdio_streams *all)
{
	return !all->handed || stream_unread(&all->of[STREAM_OUT]) ||
	       stream_unread(&all->of[STREAM_ERR]);
}

void handover_look_again(struct stdio_streams *all)
{
	uint64_t max = all->handed ? LOOK_IDLE_NS : LOOK_MAX_NS;

	if (!look_needed(all))
		return;
	timer_arm(&all->look, all->loop, all->pause);
	all->pause = all->pause * 2 < max ? all->pause * 2 : max;
}

void handover_begin(struct stdio_streams *all)
{
	for (int n = STREAM_OUT; n <= STREAM_ERR; n++)
		all->of[n].due = stream_total(&all->of[n]) + stream_pending(&all->of[n]);
	all->read_at = now_ns();
	all->read = stream_read(&all->of[STREAM_OUT]) + stream_read(&all->of[STREAM_ERR]);
	all->pause = LOOK_FIRST_NS;
	all->handed = outputs_handed(all);
	handover_look_again(all);
}

bool stream_draining(struct stream *s)
{
	struct tunnel *t = s->tunnel;
	bool *moved = t ? &t->moved : &s->relay.moved;
	bool waits = t ? tunnel_blocked(t)
		       : fifo_waiting(&s->client) || relay_blocked(&s->relay) ||
				     (!relay_running(&s->relay) && fifo_unread(&s->client));
	bool alive = *moved || waits;

	*moved = false;
	return alive;
}

bool stream_deserted(struct stream *s)
{
	return (s->tunnel || s->client.other >= 0) && !has_reader(s);
}
