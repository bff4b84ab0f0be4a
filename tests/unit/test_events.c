/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/events.pb-c.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "shim/task/events.h"
#include "shim/ttrpc/server.h"

/* The publisher against a containerd that is there, away, slow or refusing: order and bound hold.
 */

struct fixture {
	struct loop loop;
	struct server server;
	struct events events;
	struct timer stop;
	char path[64];
	bool serving;
	unsigned int refuse; /* this many calls are answered with an error */
	unsigned int seen;
	char order[8192]; /* topic and pid of every event, in order of arrival */
};

static void forward(void *owner, struct call *call)
{
	const Crossarch__ForwardRequest *req = call->request;
	struct fixture *f = owner;
	Crossarch__TaskNotice *ev;
	struct err err;

	if (f->refuse) {
		f->refuse--;
		err_set(&err, ERR_INVALID, "no");
		call_fail(call, &err);
		return;
	}
	ev = crossarch__task_notice__unpack(NULL, req->envelope->event->value.len,
					    req->envelope->event->value.data);
	assert_non_null(ev);
	assert_string_equal(req->envelope->namespace_, "ns");
	assert_true(req->envelope->timestamp->seconds > 0);
	if (strlen(f->order) < sizeof(f->order) - 64)
		sprintf(f->order + strlen(f->order), "%s%u ", req->envelope->topic, ev->pid);
	f->seen++;
	crossarch__task_notice__free_unpacked(ev, NULL);
	call_reply(call, NULL);
}

static const struct method methods[] = {
	{ "containerd.services.events.ttrpc.v1.Events", "Forward",
	  &crossarch__forward_request__descriptor, forward, false },
};

static void serve(struct fixture *f)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct err err;

	strcpy(addr.sun_path, f->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(server_init(&f->server, &f->loop, fd, methods, 1, f, &err), 0);
	f->serving = true;
}

static void unserve(struct fixture *f)
{
	if (f->serving)
		server_deinit(&f->server);
	f->serving = false;
	unlink(f->path);
}

static void on_stop(struct timer *t)
{
	container_of(t, struct fixture, stop)->loop.quit = true;
}

/* Runs until @n events have arrived, or the bound passes. */
static void run_until(struct fixture *f, unsigned int n)
{
	struct err err;

	for (int i = 0; i < 400 && f->seen < n; i++) {
		f->loop.quit = false;
		timer_arm(&f->stop, &f->loop, MS_TO_NS(10));
		assert_int_equal(loop_run(&f->loop, &err), 0);
	}
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err;

	assert_non_null(f);
	strcpy(f->path, "/tmp/crossarch-test-XXXXXX");
	close(mkstemp(f->path));
	unlink(f->path);
	assert_int_equal(loop_init(&f->loop, &err), 0);
	f->stop.on_fire = on_stop;
	events_init(&f->events, &f->loop, f->path, "ns");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	events_deinit(&f->events);
	unserve(f);
	timer_disarm(&f->stop);
	loop_deinit(&f->loop);
	free(f);
	return 0;
}

static void publish(struct fixture *f, const char *topic, uint32_t pid)
{
	Crossarch__TaskNotice ev = CROSSARCH__TASK_NOTICE__INIT;

	ev.pid = pid;
	events_publish(&f->events, topic, "containerd.events.TaskX", &ev.base);
}

static void test_order(void **state)
{
	struct fixture *f = *state;

	serve(f);
	publish(f, "/tasks/create", 1);
	publish(f, "/tasks/start", 2);
	publish(f, "/tasks/exit", 3);
	run_until(f, 3);
	assert_string_equal(f->order, "/tasks/create1 /tasks/start2 /tasks/exit3 ");
	assert_int_equal(f->events.queued, 0);
}

static void test_daemon_away_then_back(void **state)
{
	struct fixture *f = *state;

	publish(f, "/tasks/start", 1);
	publish(f, "/tasks/exit", 2);
	assert_int_equal(f->events.queued, 2);
	serve(f);
	run_until(f, 2);
	assert_string_equal(f->order, "/tasks/start1 /tasks/exit2 ");
}

static void test_daemon_restarts(void **state)
{
	struct fixture *f = *state;

	serve(f);
	publish(f, "/tasks/start", 1);
	run_until(f, 1);
	unserve(f);
	publish(f, "/tasks/exit", 2);
	publish(f, "/tasks/delete", 3);
	serve(f);
	run_until(f, 3);
	assert_string_equal(f->order, "/tasks/start1 /tasks/exit2 /tasks/delete3 ");
}

static void test_refused_event_does_not_block(void **state)
{
	struct fixture *f = *state;

	serve(f);
	f->refuse = 6;
	publish(f, "/tasks/oom", 1);
	publish(f, "/tasks/exit", 2);
	run_until(f, 1);
	assert_string_equal(f->order, "/tasks/exit2 ");
}

/* One that no frame can hold is lost, and none of those behind it. */
static void test_too_large_does_not_block(void **state)
{
	Crossarch__TaskNotice ev = CROSSARCH__TASK_NOTICE__INIT;
	struct fixture *f = *state;
	char *id = malloc(FRAME_MAX + 1);

	assert_non_null(id);
	memset(id, 'x', FRAME_MAX);
	id[FRAME_MAX] = '\0';
	ev.container_id = id;
	serve(f);
	publish(f, "/tasks/create", 1);
	events_publish(&f->events, "/tasks/start", "containerd.events.TaskX", &ev.base);
	id[FRAME_MAX - 100] = '\0'; /* the envelope is what makes it too large */
	events_publish(&f->events, "/tasks/start", "containerd.events.TaskX", &ev.base);
	publish(f, "/tasks/exit", 2);
	run_until(f, 2);
	assert_string_equal(f->order, "/tasks/create1 /tasks/exit2 ");
	free(id);
}

static void test_overflow_keeps_exits(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 0; i < EVENTS_MAX; i++)
		publish(f, i % 2 ? "/tasks/exit" : "/tasks/start", i);
	publish(f, "/tasks/exit", 100000);
	publish(f, "/tasks/exit", 100001);
	assert_int_equal(f->events.queued, EVENTS_MAX);
	serve(f);
	run_until(f, EVENTS_MAX);
	assert_int_equal(f->seen, EVENTS_MAX);
	/* the head (0) stayed, the oldest starts (2 and 4) went */
	f->order[60] = '\0';
	assert_non_null(strstr(f->order, "/tasks/start0 /tasks/exit1 /tasks/exit3 /tasks/exit5 "));
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_order),
		T(test_daemon_away_then_back),
		T(test_daemon_restarts),
		T(test_refused_event_does_not_block),
		T(test_too_large_does_not_block),
		T(test_overflow_keeps_exits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
