/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/snapshots.h"

#include <time.h>

#include "proto/containerd.pb-c.h"

#define ANSWER_MAX (16u << 20)

/* Calls @method, whose answer says nothing. */
static int tell(struct rpc *rpc, const char *method, const ProtobufCMessage *request,
		struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	const struct rpc_call call = {
		.method = method,
		.request = request,
		.reply = &ctrd__nothing__descriptor,
	};
	ProtobufCMessage *m;

	return rpc_unary(rpc, &call, &arena, &m, err);
}

int lease_begin(struct rpc *rpc, const char *id, unsigned int seconds, struct err *err)
{
	Ctrd__LeaseCreate request = CTRD__LEASE_CREATE__INIT;
	Ctrd__Label expire = CTRD__LABEL__INIT, *labels[] = { &expire };
	char key[] = "containerd.io/gc.expire", value[40];
	time_t end = time(NULL) + seconds;
	struct tm tm;

	gmtime_r(&end, &tm);
	strftime(value, sizeof(value), "%Y-%m-%dT%H:%M:%SZ", &tm);
	expire.key = key;
	expire.value = value;
	request.id = (char *)(uintptr_t)id;
	request.n_labels = 1;
	request.labels = labels;
	if (tell(rpc, "/containerd.services.leases.v1.Leases/Create", &request.base, err) < 0)
		return -1;
	rpc_use_lease(rpc, id);
	return 0;
}

int lease_end(struct rpc *rpc, const char *id, struct err *err)
{
	Ctrd__LeaseDelete request = CTRD__LEASE_DELETE__INIT;

	request.id = (char *)(uintptr_t)id;
	return tell(rpc, "/containerd.services.leases.v1.Leases/Delete", &request.base, err);
}

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
	Ctrd__SnapshotRemove request = CTRD__SNAPSHOT_REMOVE__INIT;

	request.snapshotter = (char *)(uintptr_t)snapshotter;
	request.key = (char *)(uintptr_t)key;
	return tell(rpc, "/containerd.services.snapshots.v1.Snapshots/Remove", &request.base, err);
}
