/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/err.h"
#include "runtime/base/list.h"

/*
 * The event loop: level-triggered epoll over sources embedded in their owners, and timers. Events
 * of one wake-up are moved to a list first and taken from it one at a time, and source_deinit() and
 * muting take a source off that list: any callback may free or mute any source, its own included.
 */
struct loop {
	int epoll_fd;
	struct list ready;  /* sources with events not yet delivered */
	struct list timers; /* armed timers, in no order */
	bool quit;
	struct list refused; /* sources whose change the kernel had no memory for */
	uint64_t refused_at_ns;
};

struct source {
	struct loop *loop; /* NULL when not registered */
	struct list ready;
	int fd;		     /* not owned */
	uint32_t want, have; /* EPOLLIN, EPOLLOUT, ...; `have` also holds EPOLLHUP and EPOLLERR */
	uint32_t watched;    /* the value of @want that epoll was last given */
	struct list refused;
	void (*on_ready)(struct source *);
};

struct timer {
	struct list armed;
	uint64_t at_ns; /* CLOCK_MONOTONIC */
	void (*on_fire)(struct timer *);
};

MUST_CHECK int loop_init(struct loop *loop, struct err *err);
void loop_deinit(struct loop *loop);

/* Runs until loop->quit is set. -1 when epoll itself broke, which is fatal for the caller. */
MUST_CHECK int loop_run(struct loop *loop, struct err *err);

/* Watches @fd, which stays owned by the caller and must outlive the source. */
MUST_CHECK int source_init(struct source *src, struct loop *loop, int fd, uint32_t want,
			   void (*on_ready)(struct source *), struct err *err);

/*
 * Changes the wanted events; 0 mutes the source (hang-ups included). If the kernel has no memory
 * for the change, it is tried again every LOOP_RETRY_NS: no event is lost, it only comes later.
 */
void source_want(struct source *src, uint32_t want);

/* Stops watching. Legal at any time, also on an all-zero source and from any callback. */
void source_deinit(struct source *src);

/* Arms (or re-arms) a timer @after_ns from now. An all-zero timer with on_fire set is valid. */
void timer_arm(struct timer *t, struct loop *loop, uint64_t after_ns);
void timer_disarm(struct timer *t);
bool timer_armed(const struct timer *t);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t now_ns(void);

#define LOOP_RETRY_NS MS_TO_NS(20)

#define MS_TO_NS(ms) ((uint64_t)(ms)*1000000u)
#define S_TO_NS(s) ((uint64_t)(s)*1000000000u)
