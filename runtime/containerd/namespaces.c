/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/namespaces.h"

#include "proto/containerd.pb-c.h"

int namespaces_list(struct rpc *rpc, struct arena *arena, const char *const **ret, struct err *err)
{
	Containerd__NamespaceList request = CONTAINERD__NAMESPACE_LIST__INIT;
	const struct rpc_call call = {
		.method = "/containerd.services.namespaces.v1.Namespaces/List",
		.request = &request.base,
		.reply = &containerd__namespace_list_reply__descriptor,
	};
	const Containerd__NamespaceListReply *reply;
	ProtobufCMessage *m;
	const char **list;

	if (rpc_unary(rpc, &call, arena, &m, err) < 0)
		return -1;
	reply = (const void *)m;
	list = arena_alloc(arena, (reply->n_namespaces + 1) * sizeof(*list));
	if (!list)
		return err_set(err, ERR_NOMEM, "no memory for %zu namespaces", reply->n_namespaces);
	for (size_t i = 0; i < reply->n_namespaces; i++)
		list[i] = reply->namespaces[i]->name;
	*ret = list;
	return 0;
}
