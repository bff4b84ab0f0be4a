/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/snapshots.h"

#include "proto/containerd.pb-c.h"

#define ANSWER_MAX (16u << 20)

/* Options as a NULL-terminated list; the strings are those of the reply. */
static int take_mount(const Ctrd__SnapshotMount *from, struct arena *arena,
		      struct prepare_mount *ret, struct err *err)
{
	const char **options = arena_alloc(arena, (from->n_options + 1) * sizeof(*options));

	if (!options)
		return err_set(err, ERR_NOMEM, "no memory for mount options");
	for (size_t i = 0; i < from->n_options; i++)
		options[i] = from->options[i];
	*ret = (struct prepare_mount){ from->type, from->source, from->target, options };
	return 0;
}

int snapshot_view(struct rpc *rpc, const char *snapshotter, const char *key, const char *parent,
		  struct arena *arena, struct prepare_mount **ret, size_t *ret_n, struct err *err)
{
	Ctrd__SnapshotView request = CTRD__SNAPSHOT_VIEW__INIT;
	const struct rpc_call call = {
		.method = "/containerd.services.snapshots.v1.Snapshots/View",
		.request = &request.base,
		.reply = &ctrd__snapshot_mounts__descriptor,
	};
	const Ctrd__SnapshotMounts *reply;
	struct prepare_mount *mounts;
	ProtobufCMessage *m;

	request.snapshotter = (char *)(uintptr_t)snapshotter;
	request.key = (char *)(uintptr_t)key;
	request.parent = (char *)(uintptr_t)parent;
	if (rpc_unary(rpc, &call, arena, &m, err) < 0)
		return -1;
	reply = (const void *)m;
	mounts = arena_alloc(arena, (reply->n_mounts + 1) * sizeof(*mounts));
	if (!mounts)
		return err_set(err, ERR_NOMEM, "no memory for %zu mounts", reply->n_mounts);
	for (size_t i = 0; i < reply->n_mounts; i++)
		if (take_mount(reply->mounts[i], arena, &mounts[i], err) < 0)
			return -1;
	*ret = mounts;
	*ret_n = reply->n_mounts;
	return 0;
}

int snapshot_remove(struct rpc *rpc, const char *snapshotter, const char *key, struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	Ctrd__SnapshotRemove request = CTRD__SNAPSHOT_REMOVE__INIT;
	const struct rpc_call call = {
		.method = "/containerd.services.snapshots.v1.Snapshots/Remove",
		.request = &request.base,
		.reply = &ctrd__nothing__descriptor,
	};
	ProtobufCMessage *m;

	request.snapshotter = (char *)(uintptr_t)snapshotter;
	request.key = (char *)(uintptr_t)key;
	return rpc_unary(rpc, &call, &arena, &m, err);
}
