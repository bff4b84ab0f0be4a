/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/service.h"

#include <malloc.h>
#include <unistd.h>

#include "runtime/base/log.h"
#include "runtime/base/str.h"
#include "shim/task/activity.h"
#include "shim/task/discard.h"
#include "shim/task/methods.h"

#define FLUSH_BOUND_NS S_TO_NS(5)
#define LINGER_BOUND_NS S_TO_NS(2)
#define FIRST_REQUEST_BOUND_NS S_TO_NS(30)

static void quit_now(struct service *s)
{
	s->context.loop->quit = true;
}

static void on_flushed(struct events *e)
{
	struct service *s = container_of(e, struct service, events);

	if (s->tasks.closed && !s->lingers)
		quit_now(s);
}

static void on_flush_bound(struct timer *t)
{
	struct service *s = container_of(t, struct service, flush_bound);

	if (s->events.queued)
		log_warning(context_subject(&s->context), "leaving with %u events unpublished",
			    s->events.queued);
	quit_now(s);
}

/*
 * The name goes first: a `start` for the same pod that arrives now finds no socket and makes a new
 * shim, instead of one that is about to go.
 */
static void stop_if_idle(struct service *s)
{
	if (!list_empty(&s->tasks.list) || sandbox_lives(&s->sandbox) || s->tasks.closed)
		return;
	s->tasks.closed = true;
	unlink(s->socket_path);
	server_stop_listening(&s->server);
	if (s->lingers)
		timer_arm(&s->flush_bound, s->context.loop, LINGER_BOUND_NS);
	else if (!s->events.queued)
		/* One more turn of the loop writes the answer that is still queued. */
		timer_arm(&s->flush_bound, s->context.loop, 0);
	else
		timer_arm(&s->flush_bound, s->context.loop, FLUSH_BOUND_NS);
}

static void task_shutdown(void *owner, struct call *call)
{
	struct service *s = container_of(owner, struct service, tasks);

	/* Before the answer: whoever has it may `start` the same id again at once. */
	stop_if_idle(s);
	call_reply(call, NULL);
}

/*
 * containerd wants the answer to ShutdownSandbox, and closes its connection then. If we closed it
 * first, its TTRPC client would now and then not see the answer that came before (seen with 2.4).
 */
static void on_sandbox_gone(struct sandbox *sandbox)
{
	struct service *s = container_of(sandbox, struct service, sandbox);

	s->lingers = true;
	stop_if_idle(s);
	s->lingers = s->tasks.closed;
}

static void on_alone(struct server *server)
{
	struct service *s = container_of(server, struct service, server);

	if (!s->lingers)
		return;
	s->lingers = false;
	timer_arm(&s->flush_bound, s->context.loop, s->events.queued ? FLUSH_BOUND_NS : 0);
}

static void on_deserted(struct tasks *tasks)
{
	stop_if_idle(container_of(tasks, struct service, tasks));
}

/*
 * containerd asks for the first container as soon as `start` has told it where. Nobody did: `start`
 * or containerd was killed in between, and nobody will ever ask us to go.
 */
static void on_no_request(struct timer *t)
{
	struct service *s = container_of(t, struct service, no_request_yet);

	if (s->server.had_request)
		return;
	log_warning(context_subject(&s->context), "leaving: nobody asked for anything");
	stop_if_idle(s);
}

/* Hundreds of execs at once leave a heap of holes, which an idle shim would keep for good. */
static void on_trim_memory(struct timer *t)
{
	struct service *s = container_of(t, struct service, trim_memory);

	malloc_trim(0);
	crash_watch_late(&s->tasks);
	/* Its last container is deleted after it, and nobody asks the shim to go once more. */
	if (sandbox_is_shut(&s->sandbox))
		stop_if_idle(s);
}

static void on_usr1(struct reaper *r)
{
	struct service *s = container_of(r, struct service, reaper);

	activity_log(&s->tasks, &s->events);
}

#define METHOD(service, name, request, run, at_once)                             \
	{                                                                        \
		service, name, &crossarch__##request##__descriptor, run, at_once \
	}
#define TASK_METHODS(service)                                                           \
	METHOD(service, "Checkpoint", checkpoint_task_request, task_checkpoint, false), \
		METHOD(service, "CloseIO", close_iorequest, task_close_io, false),      \
		METHOD(service, "Connect", process_request, task_connect, true),        \
		METHOD(service, "Create", create_task_request, task_create, false),     \
		METHOD(service, "Delete", process_request, task_delete, false),         \
		METHOD(service, "Exec", exec_process_request, task_exec, false),        \
		METHOD(service, "Kill", kill_request, task_kill, false),                \
		METHOD(service, "Pause", process_request, task_pause, false),           \
		METHOD(service, "Pids", process_request, task_pids, true),              \
		METHOD(service, "ResizePty", resize_pty_request, task_resize, false),   \
		METHOD(service, "Resume", process_request, task_resume, false),         \
		METHOD(service, "Shutdown", process_request, task_shutdown, false),     \
		METHOD(service, "Start", process_request, task_start, false),           \
		METHOD(service, "State", process_request, task_state, true),            \
		METHOD(service, "Stats", process_request, task_stats, true),            \
		METHOD(service, "Update", update_task_request, task_update, false),     \
		METHOD(service, "Wait", process_request, task_wait, true)

/* The owner of all methods are the tasks: those of the sandbox, and the streams, are beside them.
 */
#define SANDBOX_METHOD(name)                                                                \
	static void call_sandbox_##name(void *owner, struct call *call)                     \
	{                                                                                   \
		sandbox_##name(&container_of(owner, struct service, tasks)->sandbox, call); \
	}
SANDBOX_METHOD(create)
SANDBOX_METHOD(start)
SANDBOX_METHOD(platform)
SANDBOX_METHOD(stop)
SANDBOX_METHOD(wait)
SANDBOX_METHOD(status)
SANDBOX_METHOD(ping)
SANDBOX_METHOD(shutdown)
SANDBOX_METHOD(metrics)
#define SANDBOX "containerd.runtime.sandbox.v1.Sandbox"

static void call_stream(void *owner, struct call *call)
{
	tunnels_stream(&container_of(owner, struct service, tasks)->tunnels, call);
}

/* Version 3 has the messages of version 2 under another name (containerd's api/runtime/task). */
static const struct method methods[] = {
	TASK_METHODS("containerd.task.v2.Task"),
	TASK_METHODS("containerd.task.v3.Task"),
	METHOD(SANDBOX, "CreateSandbox", create_sandbox_request, call_sandbox_create, true),
	METHOD(SANDBOX, "StartSandbox", sandbox_request, call_sandbox_start, false),
	METHOD(SANDBOX, "Platform", sandbox_request, call_sandbox_platform, true),
	METHOD(SANDBOX, "StopSandbox", stop_sandbox_request, call_sandbox_stop, false),
	METHOD(SANDBOX, "WaitSandbox", sandbox_request, call_sandbox_wait, true),
	METHOD(SANDBOX, "SandboxStatus", sandbox_request, call_sandbox_status, true),
	METHOD(SANDBOX, "PingSandbox", sandbox_request, call_sandbox_ping, true),
	METHOD(SANDBOX, "ShutdownSandbox", sandbox_request, call_sandbox_shutdown, true),
	METHOD(SANDBOX, "SandboxMetrics", sandbox_request, call_sandbox_metrics, true),
	{ "containerd.services.streaming.v1.Streaming", "Stream", NULL, call_stream, false },
};

static void init(struct service *s, struct loop *loop)
{
	s->context.loop = loop;
	s->context.reaper = &s->reaper;
	s->context.events = &s->events;
	s->context.deferred = &s->deferred;
	s->context.cgroup_mover = &s->cgroup_mover;
	s->context.tunnels = &s->tunnels;
	s->context.looks = &s->looks.timer;
	s->context.trim_memory = &s->trim_memory;
	tunnels_init(&s->tunnels, s->socket_path);
	tasks_init(&s->tasks, &s->context, on_deserted);
	sandbox_init(&s->sandbox, &s->context, on_sandbox_gone);
	deferred_init(&s->deferred, loop);
	crash_looks_init(&s->looks, &s->tasks);
	s->flush_bound.on_fire = on_flush_bound;
	s->trim_memory.on_fire = on_trim_memory;
	s->no_request_yet.on_fire = on_no_request;
}

static void deinit(struct service *s)
{
	timer_disarm(&s->flush_bound);
	timer_disarm(&s->trim_memory);
	timer_disarm(&s->no_request_yet);
	deferred_deinit(&s->deferred);
	crash_looks_deinit(&s->looks);
	cgroup_mover_end(&s->cgroup_mover);
	events_deinit(&s->events);
	reaper_deinit(&s->reaper);
}

static int serve(struct service *s, int fd_take, struct err *err)
{
	struct loop *loop = s->context.loop;
	int rc;

	if (server_init(&s->server, loop, fd_take, methods, ARRAY_SIZE(methods), &s->tasks, err) <
	    0)
		return -1;
	s->server.on_alone = on_alone;
	s->server.about = context_subject(&s->context);
	timer_arm(&s->no_request_yet, loop, FIRST_REQUEST_BOUND_NS);
	/* Of the first container, which made `start` be called. */
	cgroup_mover_expect(&s->cgroup_mover, &s->reaper);
	rc = loop_run(loop, err);
	if (!s->tasks.closed) /* by a signal; else the name may be somebody else's by now */
		unlink(s->socket_path);
	while (!list_empty(&s->tasks.list))
		task_discard(list_first(&s->tasks.list, struct task, in_tasks));
	sandbox_deinit(&s->sandbox);
	server_deinit(&s->server);
	return rc;
}

int service_run(struct service *s, struct loop *loop, const char *events_address, int fd_take,
		struct err *err)
{
	int rc;

	init(s, loop);
	if (reaper_init(&s->reaper, loop, err) < 0)
		return -1;
	s->reaper.on_usr1 = on_usr1;
	events_init(&s->events, loop, events_address, s->context.ns);
	s->events.on_empty = on_flushed;
	s->events.about = context_subject(&s->context);
	rc = serve(s, fd_take, err);
	deinit(s);
	return rc;
}
