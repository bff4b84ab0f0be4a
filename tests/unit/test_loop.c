/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/base/mem.h"
#include "shim/loop/loop.h"

/* The loop when the kernel has no memory for what it is asked: nothing is lost, only late. */

static unsigned int refusals; /* this many changes fail */

/* In the place of the C library's. */
int epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
	if (op != EPOLL_CTL_DEL && refusals) {
		refusals--;
		errno = refusals % 2 ? ENOSPC : ENOMEM;
		return -1;
	}
	return (int)syscall(SYS_epoll_ctl, epoll, op, fd, event);
}

struct fixture {
	struct loop loop;
	struct timer stop;
	struct source source;
	unsigned int ready;
	int pipe[2];
};

static void on_ready(struct source *src)
{
	struct fixture *f = container_of(src, struct fixture, source);

	f->ready++;
	f->loop.quit = true;
}

static void on_stop(struct timer *t)
{
	container_of(t, struct fixture, stop)->loop.quit = true;
}

/* Until something is ready; the bound only ends a test that fails. */
static void run(struct fixture *f, uint64_t bound_ms)
{
	struct err err;

	f->loop.quit = false;
	timer_arm(&f->stop, &f->loop, MS_TO_NS(bound_ms));
	assert_int_equal(loop_run(&f->loop, &err), 0);
	timer_disarm(&f->stop);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err;

	assert_non_null(f);
	refusals = 0;
	assert_int_equal(pipe(f->pipe), 0);
	assert_int_equal(write(f->pipe[1], "x", 1), 1);
	assert_int_equal(loop_init(&f->loop, &err), 0);
	f->stop.on_fire = on_stop;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	source_deinit(&f->source);
	loop_deinit(&f->loop);
	close(f->pipe[0]);
	close(f->pipe[1]);
	free(f);
	return 0;
}

static void watch(struct fixture *f)
{
	struct err err;

	assert_int_equal(source_init(&f->source, &f->loop, f->pipe[0], EPOLLIN, on_ready, &err), 0);
}

static void test_first_watch_is_told(void **state)
{
	struct fixture *f = *state;
	struct err err;

	refusals = 1;
	assert_int_equal(source_init(&f->source, &f->loop, f->pipe[0], EPOLLIN, on_ready, &err),
			 -1);
	assert_int_equal(err.code, ERR_IO);
	watch(f);
	run(f, 10000);
	assert_int_equal(f->ready, 1);
}

static void test_unmuting_is_tried_again(void **state)
{
	struct fixture *f = *state;

	watch(f);
	source_want(&f->source, 0);
	refusals = 3;
	source_want(&f->source, EPOLLIN);
	run(f, 10000);
	assert_int_equal(f->ready, 1);
	assert_int_equal(refusals, 0);
}

static void test_change_is_tried_again(void **state)
{
	struct fixture *f = *state;
	struct err err;

	assert_int_equal(source_init(&f->source, &f->loop, f->pipe[0], EPOLLPRI, on_ready, &err),
			 0);
	refusals = 1;
	source_want(&f->source, EPOLLIN);
	run(f, 10000);
	assert_int_equal(f->ready, 1);
}

/* What was wanted in between is not what is wanted in the end. */
static void test_last_wish_counts(void **state)
{
	struct fixture *f = *state;

	watch(f);
	source_want(&f->source, 0);
	refusals = 1;
	source_want(&f->source, EPOLLIN);
	source_want(&f->source, 0);
	run(f, 60);
	assert_int_equal(f->ready, 0);
	source_want(&f->source, EPOLLIN);
	run(f, 10000);
	assert_int_equal(f->ready, 1);
}

static void test_end_while_refused(void **state)
{
	struct fixture *f = *state;

	watch(f);
	source_want(&f->source, 0);
	refusals = 1;
	source_want(&f->source, EPOLLIN);
	source_deinit(&f->source);
	run(f, 60);
	assert_int_equal(f->ready, 0);
}

/* Two that are ready at the same time; whoever is asked first mutes the other. */
struct pair {
	struct fixture *f;
	struct source of[2];
	unsigned int calls;
};

static void mute_other(struct pair *p, size_t other)
{
	p->calls++;
	source_want(&p->of[other], 0);
	p->f->loop.quit = true;
}

static void on_first(struct source *src)
{
	mute_other(container_of(src, struct pair, of[0]), 1);
}

static void on_second(struct source *src)
{
	mute_other(container_of(src, struct pair, of[1]), 0);
}

/* An event that has arrived already is not told either, and comes when it is wanted again. */
static void test_muted_is_silent(void **state)
{
	struct pair p = { .f = *state };
	int other = dup(p.f->pipe[0]);
	struct err err;

	assert_int_equal(source_init(&p.of[0], &p.f->loop, other, EPOLLIN, on_first, &err), 0);
	assert_int_equal(source_init(&p.of[1], &p.f->loop, p.f->pipe[0], EPOLLIN, on_second, &err),
			 0);
	run(p.f, 10000);
	assert_int_equal(p.calls, 1);
	source_want(&p.of[0], 0);
	source_want(&p.of[1], EPOLLIN);
	run(p.f, 10000);
	assert_int_equal(p.calls, 2);
	source_deinit(&p.of[0]);
	source_deinit(&p.of[1]);
	close(other);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_first_watch_is_told),   T(test_unmuting_is_tried_again),
		T(test_change_is_tried_again), T(test_last_wish_counts),
		T(test_end_while_refused),     T(test_muted_is_silent),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
