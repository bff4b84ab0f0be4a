/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/what_is_here.h"

#include "proto/containerd.pb-c.h"

static int add_blobs(void *ctx, ProtobufCMessage *message, struct err *err)
{
	const Containerd__ContentListReply *reply = (const void *)message;

	for (size_t i = 0; i < reply->n_info; i++)
		if (name_set_add(ctx, reply->info[i]->digest, err) < 0)
			return -1;
	return 0;
}

int blobs_here(struct rpc *rpc, struct name_set *ret, struct err *err)
{
	Containerd__ContentList request = CONTAINERD__CONTENT_LIST__INIT;
	const struct rpc_call call = {
		.method = "/containerd.services.content.v1.Content/List",
		.request = &request.base,
		.reply = &containerd__content_list_reply__descriptor,
	};

	if (rpc_stream(rpc, &call, ret->arena, add_blobs, ret, err) < 0)
		return -1;
	name_set_sort(ret);
	return 0;
}

static int add_snapshots(void *ctx, ProtobufCMessage *message, struct err *err)
{
	const Containerd__SnapshotListReply *reply = (const void *)message;

	for (size_t i = 0; i < reply->n_info; i++)
		if (name_set_add(ctx, reply->info[i]->name, err) < 0)
			return -1;
	return 0;
}

int snapshots_here(struct rpc *rpc, const char *snapshotter, struct name_set *ret, struct err *err)
{
	Containerd__SnapshotList request = CONTAINERD__SNAPSHOT_LIST__INIT;
	const struct rpc_call call = {
		.method = "/containerd.services.snapshots.v1.Snapshots/List",
		.request = &request.base,
		.reply = &containerd__snapshot_list_reply__descriptor,
	};

	request.snapshotter = (char *)(uintptr_t)snapshotter;
	if (rpc_stream(rpc, &call, ret->arena, add_snapshots, ret, err) < 0 &&
	    err->code != ERR_INVALID && err->code != ERR_NOT_FOUND)
		return -1;
	name_set_sort(ret);
	return 0;
}
