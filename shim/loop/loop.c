/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/loop/loop.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <time.h>

#define EVENTS_PER_WAIT 32

int loop_init(struct loop *loop, struct err *err)
{
	*loop = (struct loop){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
	list_init(&loop->ready);
	list_init(&loop->timers);
	list_init(&loop->refused);
	return loop->epoll_fd < 0 ? err_sys(err, ERR_IO, "create epoll") : 0;
}

void loop_deinit(struct loop *loop)
{
	ASSERT(list_empty(&loop->timers));
	fd_close(&loop->epoll_fd);
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return S_TO_NS(ts.tv_sec) + (uint64_t)ts.tv_nsec;
}

/* Milliseconds until the next timer, rounded up so that it has really passed; -1 without any. */
static int wait_ms(const struct loop *loop)
{
	uint64_t now = now_ns();
	uint64_t first = list_empty(&loop->refused) ? UINT64_MAX : loop->refused_at_ns;

	list_for_each(node, &loop->timers) {
		const struct timer *t = list_entry(node, struct timer, armed);

		if (t->at_ns < first)
			first = t->at_ns;
	}
	if (first == UINT64_MAX)
		return -1;
	if (first <= now)
		return 0;
	first = (first - now + 999999) / 1000000;
	return first > INT_MAX ? INT_MAX : (int)first;
}

/* Due timers move to a list of their own, so that a timer re-armed by a callback waits its turn. */
static void fire_timers(struct loop *loop)
{
	struct list due;
	uint64_t now = now_ns();

	list_init(&due);
	list_for_each_safe(node, &loop->timers) {
		struct timer *t = list_entry(node, struct timer, armed);

		if (t->at_ns > now)
			continue;
		list_del(&t->armed);
		list_add(&due, &t->armed);
	}
	while (!list_empty(&due)) {
		struct timer *t = list_first(&due, struct timer, armed);

		list_del(&t->armed);
		t->on_fire(t);
	}
}

static void deliver(struct loop *loop)
{
	while (!list_empty(&loop->ready)) {
		struct source *src = list_first(&loop->ready, struct source, ready);

		list_del(&src->ready);
		src->on_ready(src);
	}
}

/*
 * A muted source is taken out of epoll: EPOLLHUP cannot be masked and would wake us for ever. And
 * out of what is to be delivered: an event that came along with others may have been dealt with by
 * the callback of one of those.
 */
static int apply_want(struct source *src, uint32_t want)
{
	struct epoll_event ev = { .events = want, .data.ptr = src };
	int op = !src->watched ? EPOLL_CTL_ADD : want ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;

	src->want = want;
	list_del(&src->refused);
	if (!want)
		list_del(&src->ready);
	if (want == src->watched)
		return 0;
	if (epoll_ctl(src->loop->epoll_fd, op, src->fd, &ev) < 0)
		return -1;
	src->watched = want;
	return 0;
}

/* Out of memory, or of the user's watches, passes; nothing else does. */
static void note_refused(struct source *src)
{
	struct loop *loop = src->loop;

	if (errno != ENOMEM && errno != ENOSPC)
		return;
	if (list_empty(&loop->refused))
		loop->refused_at_ns = now_ns() + LOOP_RETRY_NS;
	list_add(&loop->refused, &src->refused);
}

static void retry_refused(struct loop *loop)
{
	struct list now;

	if (list_empty(&loop->refused) || loop->refused_at_ns > now_ns())
		return;
	list_take_all(&now, &loop->refused);
	while (!list_empty(&now)) {
		struct source *src = list_first(&now, struct source, refused);

		if (apply_want(src, src->want) < 0)
			note_refused(src);
	}
}

int loop_run(struct loop *loop, struct err *err)
{
	struct epoll_event events[EVENTS_PER_WAIT];

	while (!loop->quit) {
		int n = epoll_wait(loop->epoll_fd, events, EVENTS_PER_WAIT, wait_ms(loop));

		if (n < 0 && errno != EINTR)
			return err_sys(err, ERR_IO, "epoll_wait");
		for (int i = 0; i < n; i++) {
			struct source *src = events[i].data.ptr;

			src->have = events[i].events;
			list_add(&loop->ready, &src->ready);
		}
		deliver(loop);
		fire_timers(loop);
		retry_refused(loop);
	}
	return 0;
}

int source_init(struct source *src, struct loop *loop, int fd, uint32_t want,
		void (*on_ready)(struct source *), struct err *err)
{
	*src = (struct source){ .loop = loop, .fd = fd, .on_ready = on_ready };
	list_init(&src->ready);
	list_init(&src->refused);
	if (apply_want(src, want) < 0) {
		src->loop = NULL;
		return err_sys(err, ERR_IO, "watch descriptor %d", fd);
	}
	return 0;
}

void source_want(struct source *src, uint32_t want)
{
	if (src->loop && want != src->want && apply_want(src, want) < 0)
		note_refused(src);
}

void source_deinit(struct source *src)
{
	if (!src->loop)
		return;
	(void)apply_want(src, 0);
	list_del(&src->ready);
	list_del(&src->refused);
	src->loop = NULL;
}

void timer_arm(struct timer *t, struct loop *loop, uint64_t after_ns)
{
	list_del(&t->armed);
	t->at_ns = now_ns() + after_ns;
	list_add(&loop->timers, &t->armed);
}

void timer_disarm(struct timer *t)
{
	list_del(&t->armed);
}

bool timer_armed(const struct timer *t)
{
	return list_linked(&t->armed);
}
