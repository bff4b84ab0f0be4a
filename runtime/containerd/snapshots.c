/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/snapshots.h"

#include <stdlib.h>
#include <string.h>

#include "proto/containerd.pb-c.h"
#include "runtime/base/str.h"
#include "runtime/containerd/rpc_tell.h"

#define ANSWER_MAX (16u << 20)

/* --- emptying a lease ---------------------------------------------------------------------- */

#define SNAPSHOTS "snapshots/"

static int by_name_backwards(const void *a, const void *b)
{
	const struct lease_resource *x = a, *y = b;

	return strcmp(y->id, x->id);
}

static int remove_all(struct rpc *rpc, const struct lease_resource *all, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const char *snapshotter = str_after(all[i].type, SNAPSHOTS);

		if (snapshotter && snapshot_remove(rpc, snapshotter, all[i].id, err) < 0 &&
		    err->code != ERR_NOT_FOUND)
			return err_in(err, "remove the temporary snapshot %.100s", all[i].id);
	}
	return 0;
}

int lease_empty(struct rpc *rpc, const char *id, struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	struct lease_resource *all;
	size_t n;

	if (lease_list(rpc, id, &arena, &all, &n, err) < 0)
		return -1;
	if (n)
		qsort(all, n, sizeof(*all), by_name_backwards);
	return remove_all(rpc, all, n, err);
}

/* --- one snapshot -------------------------------------------------------------------------- */

/* Options as a NULL-terminated list; the strings are those of the reply. */
static int take_mount(const Containerd__SnapshotMount *from, struct arena *arena,
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
	Containerd__SnapshotView request = CONTAINERD__SNAPSHOT_VIEW__INIT;
	const struct rpc_call call = {
		.method = "/containerd.services.snapshots.v1.Snapshots/View",
		.request = &request.base,
		.reply = &containerd__snapshot_mounts__descriptor,
	};
	const Containerd__SnapshotMounts *reply;
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
	Containerd__SnapshotRemove request = CONTAINERD__SNAPSHOT_REMOVE__INIT;

	request.snapshotter = (char *)(uintptr_t)snapshotter;
	request.key = (char *)(uintptr_t)key;
	return rpc_tell(rpc, "/containerd.services.snapshots.v1.Snapshots/Remove", &request.base,
			err);
}
