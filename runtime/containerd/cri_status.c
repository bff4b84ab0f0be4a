/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/cri_status.h"

#include "proto/cri.pb-c.h"

#define NANOSECONDS 1000000000

int cri_status_of(struct rpc *rpc, const char *id, struct arena *arena, struct cri_status *ret,
		  struct err *err)
{
	Cri__IdRequest request = CRI__ID_REQUEST__INIT;
	const struct rpc_call call = {
		.method = "/runtime.v1.RuntimeService/ContainerStatus",
		.request = &request.base,
		.reply = &cri__container_status_reply__descriptor,
	};
	const Cri__ContainerStatus *s;
	ProtobufCMessage *m;

	request.id = (char *)(uintptr_t)id;
	if (rpc_unary(rpc, &call, arena, &m, err) < 0)
		return -1;
	s = ((const Cri__ContainerStatusReply *)(const void *)m)->status;
	if (!s)
		return err_set(err, ERR_INVALID, "CRI answers without a status");
	*ret = (struct cri_status){
		.exited = s->state == CRI__CONTAINER_STATE__EXITED,
		.finished = s->finished_at / NANOSECONDS,
		.exit_status = s->exit_code,
		.reason = s->reason,
		.message = s->message,
		.log = s->log_path,
		.ref = s->image_ref,
	};
	return 0;
}
