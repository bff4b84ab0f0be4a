/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/task_list.h"

#include "proto/containerd.pb-c.h"

int task_list(struct rpc *rpc, struct arena *arena, struct task_entry **ret, size_t *ret_n,
	      struct err *err)
{
	Containerd__TaskList request = CONTAINERD__TASK_LIST__INIT;
	const struct rpc_call call = {
		.method = "/containerd.services.tasks.v1.Tasks/List",
		.request = &request.base,
		.reply = &containerd__task_list_reply__descriptor,
	};
	const Containerd__TaskListReply *reply;
	ProtobufCMessage *m;

	if (rpc_unary(rpc, &call, arena, &m, err) < 0)
		return -1;
	reply = (const void *)m;
	*ret = arena_alloc(arena, (reply->n_tasks + 1) * sizeof(**ret));
	if (!*ret)
		return err_set(err, ERR_NOMEM, "no memory for %zu tasks", reply->n_tasks);
	for (size_t i = 0; i < reply->n_tasks; i++) {
		const Containerd__TaskProcess *t = reply->tasks[i];

		(*ret)[i] = (struct task_entry){
			.id = t->id,
			.pid = t->pid,
			.state = t->status,
			.exit_status = t->exit_status,
			.exited = t->status == TASK_STOPPED && t->exited_at ? t->exited_at->seconds
									    : 0,
		};
	}
	*ret_n = reply->n_tasks;
	return 0;
}
