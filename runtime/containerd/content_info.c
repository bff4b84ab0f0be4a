/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/content_info.h"

int content_info(struct rpc *rpc, const char *digest, struct arena *arena,
		 const Containerd__ContentInfo **ret, struct err *err)
{
	Containerd__ContentInfoGet request = CONTAINERD__CONTENT_INFO_GET__INIT;
	const struct rpc_call call = {
		.method = "/containerd.services.content.v1.Content/Info",
		.request = &request.base,
		.reply = &containerd__content_info_reply__descriptor,
	};
	ProtobufCMessage *m;

	request.digest = (char *)(uintptr_t)digest;
	if (rpc_unary(rpc, &call, arena, &m, err) < 0)
		return -1;
	*ret = ((const Containerd__ContentInfoReply *)(const void *)m)->info;
	return *ret ? 0 : err_set(err, ERR_INVALID, "containerd says nothing of blob %s", digest);
}
