/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "config.h"
#include "proto/options.pb-c.h"
#include "runtime/base/str.h"
#include "shim/task/methods.h"
#include "shim/task/task_cgroup.h"
#include "shim/task/task_events.h"
#include "shim/task/tasks.h"

/*
 * Questions, answered from memory at once, whatever else is in flight: containerd asks the shims of
 * a listing one after the other, so one that hangs would stall every listing on the node.
 */

/* As the stock shim has it: the execs of a container that is paused are paused, whatever they did.
 */
static enum process_state seen_state(const struct process *p)
{
	return p->task->init.state == PROCESS_PAUSED ? PROCESS_PAUSED : p->state;
}

void task_state(void *owner, struct call *call)
{
	const Crossarch__ProcessRequest *req = call->request;
	Crossarch__StateResponse reply = CROSSARCH__STATE_RESPONSE__INIT;
	Crossarch__Timestamp at = CROSSARCH__TIMESTAMP__INIT;
	struct process *p;
	struct err err;

	if (tasks_find_process(owner, req->id, req->exec_id, &p, &err) < 0) {
		call_fail(call, &err);
		return;
	}
	reply.id = (char *)(uintptr_t)process_id(p);
	reply.bundle = p->task->bundle;
	reply.pid = (uint32_t)p->pid;
	reply.status = state_wire(seen_state(p));
	reply.stdin = p->in;
	reply.stdout = p->out;
	reply.stderr = p->err;
	reply.terminal = p->terminal;
	if (p->exited) {
		timestamp_set(&at, &p->exit.at);
		reply.exit_status = p->exit.code;
		reply.exited_at = &at;
	}
	call_reply(call, &reply.base);
}

/* The waiting client is gone: nothing to answer, nothing to keep until the exit. */
static void on_waiter_gone(struct call *call)
{
	call_reply(call, NULL);
}

void task_wait(void *owner, struct call *call)
{
	const Crossarch__ProcessRequest *req = call->request;
	Crossarch__WaitResponse reply = CROSSARCH__WAIT_RESPONSE__INIT;
	Crossarch__Timestamp at = CROSSARCH__TIMESTAMP__INIT;
	struct process *p;
	struct err err;

	if (tasks_find_process(owner, req->id, req->exec_id, &p, &err) < 0) {
		call_fail(call, &err);
		return;
	}
	if (!p->published) {
		call->on_peer_gone = on_waiter_gone;
		if (call_wait(call, &p->waiters, &err) < 0)
			call_fail(call, &err);
		return;
	}
	timestamp_set(&at, &p->exit.at);
	reply.exit_status = p->exit.code;
	reply.exited_at = &at;
	call_reply(call, &reply.base);
}

void task_connect(void *owner, struct call *call)
{
	const Crossarch__ProcessRequest *req = call->request;
	Crossarch__ConnectResponse reply = CROSSARCH__CONNECT_RESPONSE__INIT;
	struct task *t;
	struct err err;

	if (tasks_find(owner, req->id, &t, &err) == 0)
		reply.task_pid = (uint32_t)t->init.pid;
	reply.shim_pid = (uint32_t)getpid();
	reply.version = (char *)(uintptr_t)CROSSARCH_VERSION;
	call_reply(call, &reply.base);
}

/* ProcessDetails for the pids that an exec started; NULL for all others. */
static Crossarch__Any *exec_details(const struct task *t, pid_t pid, struct arena *arena)
{
	Crossarch__ProcessDetails details = CROSSARCH__PROCESS_DETAILS__INIT;
	Crossarch__Any *any;

	list_for_each(node, &t->execs) {
		struct process *p = list_entry(node, struct process, in_task);

		if (p->pid != pid || p->exited)
			continue;
		details.exec_id = p->exec_id;
		any = arena_alloc(arena, sizeof(*any));
		if (!any)
			return NULL;
		crossarch__any__init(any);
		any->type_url = (char *)(uintptr_t) "containerd.runc.v1.ProcessDetails";
		any->value.data =
			arena_alloc(arena, details.exec_id ? strlen(details.exec_id) + 16 : 16);
		if (!any->value.data)
			return NULL;
		any->value.len = crossarch__process_details__pack(&details, any->value.data);
		return any;
	}
	return NULL;
}

static int fill_pids(const struct task *t, struct arena *arena, const pid_t *pids, size_t n,
		     Crossarch__PidsResponse *reply, struct err *err)
{
	reply->processes = arena_alloc(arena, n * sizeof(*reply->processes) + 1);
	if (!reply->processes)
		return err_set(err, ERR_NOMEM, "no memory for %zu pids", n);
	for (size_t i = 0; i < n; i++) {
		Crossarch__ProcessInfo *info = arena_alloc(arena, sizeof(*info));

		if (!info)
			return err_set(err, ERR_NOMEM, "no memory for %zu pids", n);
		crossarch__process_info__init(info);
		info->pid = (uint32_t)pids[i];
		info->info = exec_details(t, pids[i], arena);
		reply->processes[reply->n_processes++] = info;
	}
	return 0;
}

void task_pids(void *owner, struct call *call)
{
	const Crossarch__ProcessRequest *req = call->request;
	Crossarch__PidsResponse reply = CROSSARCH__PIDS_RESPONSE__INIT;
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	CLEANUP_FREE pid_t *pids = NULL;
	struct task *t;
	size_t n = 0;
	struct err err;

	if (tasks_find(owner, req->id, &t, &err) < 0) {
		call_fail(call, &err);
		return;
	}
	task_cgroup_pids(t, &pids, &n);
	if (fill_pids(t, &arena, pids, n, &reply, &err) < 0)
		call_fail(call, &err);
	else
		call_reply(call, &reply.base);
}

void task_stats(void *owner, struct call *call)
{
	const Crossarch__ProcessRequest *req = call->request;
	Crossarch__StatsResponse reply = CROSSARCH__STATS_RESPONSE__INIT;
	Crossarch__Any any = CROSSARCH__ANY__INIT;
	struct buf CLEANUP_BUF packed = BUF_INIT(FRAME_MAX / 2);
	const char *type;
	struct task *t;
	struct err err;

	if (tasks_find(owner, req->id, &t, &err) < 0 ||
	    task_cgroup_stats(t, &packed, &type, &err) < 0) {
		call_fail(call, &err);
		return;
	}
	any.type_url = (char *)(uintptr_t)type;
	any.value.data = packed.data;
	any.value.len = packed.len;
	reply.stats = &any;
	call_reply(call, &reply.base);
}
