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

/* protobuf-c's fields are not const, and packing never writes to them. */
static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

/* Any of the calls that answer with mounts. */
static int ask_mounts(struct rpc *rpc, const char *method, const ProtobufCMessage *request,
		      struct arena *arena, struct prepare_mount **ret, size_t *ret_n,
		      struct err *err)
{
	const struct rpc_call call = {
		.method = method,
		.request = request,
		.reply = &containerd__snapshot_mounts__descriptor,
	};
	const Containerd__SnapshotMounts *reply;
	struct prepare_mount *mounts;
	ProtobufCMessage *m;

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

#define SERVICE "/containerd.services.snapshots.v1.Snapshots/"

int snapshot_view(struct rpc *rpc, const char *snapshotter, const char *key, const char *parent,
		  struct arena *arena, struct prepare_mount **ret, size_t *ret_n, struct err *err)
{
	Containerd__SnapshotView request = CONTAINERD__SNAPSHOT_VIEW__INIT;

	request.snapshotter = text(snapshotter);
	request.key = text(key);
	request.parent = text(parent);
	return ask_mounts(rpc, SERVICE "View", &request.base, arena, ret, ret_n, err);
}

static int take_info(const Containerd__Snapshot *from, struct arena *arena,
		     struct snapshot_info *ret, struct err *err)
{
	struct snapshot_label *labels = arena_alloc(arena, (from->n_labels + 1) * sizeof(*labels));

	if (!labels)
		return err_set(err, ERR_NOMEM, "no memory for %zu labels", from->n_labels);
	for (size_t i = 0; i < from->n_labels; i++)
		labels[i] = (struct snapshot_label){ from->labels[i]->key, from->labels[i]->value };
	*ret = (struct snapshot_info){ from->parent, labels, from->n_labels };
	return 0;
}

int snapshot_stat(struct rpc *rpc, const char *snapshotter, const char *key, struct arena *arena,
		  struct snapshot_info *ret, struct err *err)
{
	Containerd__SnapshotStat request = CONTAINERD__SNAPSHOT_STAT__INIT;
	const struct rpc_call call = {
		.method = SERVICE "Stat",
		.request = &request.base,
		.reply = &containerd__snapshot_reply__descriptor,
	};
	const Containerd__SnapshotReply *reply;
	ProtobufCMessage *m;

	request.snapshotter = text(snapshotter);
	request.key = text(key);
	if (rpc_unary(rpc, &call, arena, &m, err) < 0)
		return -1;
	reply = (const void *)m;
	if (!reply->info)
		return err_set(err, ERR_INVALID, "containerd answers without a snapshot");
	return take_info(reply->info, arena, ret, err);
}

/* The labels of a request, in @arena. */
static int give_labels(const struct snapshot_info *info, struct arena *arena,
		       Containerd__Label ***ret, struct err *err)
{
	Containerd__Label *labels = arena_alloc(arena, (info->n_labels + 1) * sizeof(*labels));
	Containerd__Label **list =
		arena_alloc(arena, (info->n_labels + 1) * sizeof(Containerd__Label *));

	if (!labels || !list)
		return err_set(err, ERR_NOMEM, "no memory for %zu labels", info->n_labels);
	for (size_t i = 0; i < info->n_labels; i++) {
		containerd__label__init(&labels[i]);
		labels[i].key = text(info->labels[i].key);
		labels[i].value = text(info->labels[i].value);
		list[i] = &labels[i];
	}
	*ret = list;
	return 0;
}

int snapshot_prepare(struct rpc *rpc, const char *snapshotter, const char *key,
		     const struct snapshot_info *info, struct arena *arena,
		     struct prepare_mount **ret, size_t *ret_n, struct err *err)
{
	Containerd__SnapshotPrepare request = CONTAINERD__SNAPSHOT_PREPARE__INIT;

	request.snapshotter = text(snapshotter);
	request.key = text(key);
	request.parent = text(info->parent);
	request.n_labels = info->n_labels;
	if (give_labels(info, arena, &request.labels, err) < 0)
		return -1;
	return ask_mounts(rpc, SERVICE "Prepare", &request.base, arena, ret, ret_n, err);
}

int snapshot_mounts(struct rpc *rpc, const char *snapshotter, const char *key, struct arena *arena,
		    struct prepare_mount **ret, size_t *ret_n, struct err *err)
{
	Containerd__SnapshotMountsGet request = CONTAINERD__SNAPSHOT_MOUNTS_GET__INIT;

	request.snapshotter = text(snapshotter);
	request.key = text(key);
	return ask_mounts(rpc, SERVICE "Mounts", &request.base, arena, ret, ret_n, err);
}

int snapshot_remove(struct rpc *rpc, const char *snapshotter, const char *key, struct err *err)
{
	Containerd__SnapshotRemove request = CONTAINERD__SNAPSHOT_REMOVE__INIT;

	request.snapshotter = text(snapshotter);
	request.key = text(key);
	return rpc_tell(rpc, SERVICE "Remove", &request.base, err);
}
