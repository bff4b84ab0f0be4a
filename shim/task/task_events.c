/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/task_events.h"

#include <stdint.h>

#include "proto/events.pb-c.h"
#include "shim/task/events.h"

/* protobuf-c's structs want char *; packing only reads. */
static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static void publish(const struct task *t, const char *topic, const char *type,
		    const ProtobufCMessage *event)
{
	events_publish(t->context->events, topic, type, event);
}

void timestamp_set(Crossarch__Timestamp *ts, const struct timespec *at)
{
	ts->seconds = at->tv_sec;
	ts->nanos = (int32_t)at->tv_nsec;
}

void publish_create(const struct task *t, const Crossarch__CreateTaskRequest *request)
{
	Crossarch__TaskCreate ev = CROSSARCH__TASK_CREATE__INIT;
	Crossarch__TaskIO io = CROSSARCH__TASK_IO__INIT;

	io.stdin = text(t->init.in);
	io.stdout = text(t->init.out);
	io.stderr = text(t->init.err);
	io.terminal = t->init.terminal;
	ev.container_id = t->id;
	ev.bundle = t->bundle;
	ev.n_rootfs = request->n_rootfs;
	ev.rootfs = request->rootfs;
	ev.io = &io;
	ev.checkpoint = request->checkpoint;
	ev.pid = (uint32_t)t->init.pid;
	publish(t, "/tasks/create", "containerd.events.TaskCreate", &ev.base);
}

static void notice(const struct task *t, const char *topic, const char *type, pid_t pid)
{
	Crossarch__TaskNotice ev = CROSSARCH__TASK_NOTICE__INIT;

	ev.container_id = t->id;
	ev.pid = (uint32_t)pid;
	publish(t, topic, type, &ev.base);
}

static void exec_notice(const struct process *p, const char *topic, const char *type, pid_t pid)
{
	Crossarch__TaskExec ev = CROSSARCH__TASK_EXEC__INIT;

	ev.container_id = p->task->id;
	ev.exec_id = p->exec_id;
	ev.pid = (uint32_t)pid;
	publish(p->task, topic, type, &ev.base);
}

void publish_start(const struct process *p)
{
	if (p->exec_id)
		exec_notice(p, "/tasks/exec-started", "containerd.events.TaskExecStarted", p->pid);
	else
		notice(p->task, "/tasks/start", "containerd.events.TaskStart", p->pid);
}

void publish_exec_added(const struct process *p)
{
	exec_notice(p, "/tasks/exec-added", "containerd.events.TaskExecAdded", 0);
}

void publish_exit(const struct process *p)
{
	Crossarch__TaskExit ev = CROSSARCH__TASK_EXIT__INIT;
	Crossarch__Timestamp at = CROSSARCH__TIMESTAMP__INIT;

	timestamp_set(&at, &p->exit.at);
	ev.container_id = p->task->id;
	ev.id = text(process_id(p));
	ev.pid = (uint32_t)p->pid;
	ev.exit_status = p->exit.code;
	ev.exited_at = &at;
	publish(p->task, "/tasks/exit", "containerd.events.TaskExit", &ev.base);
}

void publish_delete(const struct task *t)
{
	Crossarch__TaskDelete ev = CROSSARCH__TASK_DELETE__INIT;
	Crossarch__Timestamp at = CROSSARCH__TIMESTAMP__INIT;

	timestamp_set(&at, &t->init.exit.at);
	ev.container_id = t->id;
	ev.pid = (uint32_t)t->init.pid;
	ev.exit_status = t->init.exit.code;
	ev.exited_at = &at;
	publish(t, "/tasks/delete", "containerd.events.TaskDelete", &ev.base);
}

void publish_paused(const struct task *t)
{
	notice(t, "/tasks/paused", "containerd.events.TaskPaused", 0);
}

void publish_resumed(const struct task *t)
{
	notice(t, "/tasks/resumed", "containerd.events.TaskResumed", 0);
}

void publish_oom(const struct task *t)
{
	notice(t, "/tasks/oom", "containerd.events.TaskOOM", 0);
}

void publish_checkpointed(const struct task *t, const char *path)
{
	Crossarch__TaskCheckpointed ev = CROSSARCH__TASK_CHECKPOINTED__INIT;

	ev.container_id = t->id;
	ev.checkpoint = text(path);
	publish(t, "/tasks/checkpointed", "containerd.events.TaskCheckpointed", &ev.base);
}
