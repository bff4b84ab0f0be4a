/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/rpc_tell.h"

#include "proto/containerd.pb-c.h"

#define ANSWER_MAX (16u << 20)

int rpc_tell(struct rpc *rpc, const char *method, const ProtobufCMessage *request, struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	const struct rpc_call call = {
		.method = method,
		.request = request,
		.reply = &containerd__nothing__descriptor,
	};
	ProtobufCMessage *m;

	return rpc_unary(rpc, &call, &arena, &m, err);
}
