/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/unpack.h"

#include "proto/containerd.pb-c.h"
#include "runtime/base/str.h"

#define ANSWER_MAX (16u << 20)
#define STEP_MS 30000

/* Shows a person who lists snapshots whose these are. */
#define LABEL "io.crossarch.check"

/* What the snapshots of one unpacking have in common. */
struct unpacking {
	struct rpc *rpc;
	const char *snapshotter, *prefix;
	Containerd__Label label, *labels[1];
};

/* protobuf-c's fields are not const, and packing never writes to them. */
static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static int prepare(struct unpacking *u, const char *key, const char *parent, struct arena *arena,
		   const Containerd__SnapshotMounts **ret, struct err *err)
{
	Containerd__SnapshotPrepare request = CONTAINERD__SNAPSHOT_PREPARE__INIT;
	const struct rpc_call call = {
		.method = "/containerd.services.snapshots.v1.Snapshots/Prepare",
		.request = &request.base,
		.reply = &containerd__snapshot_mounts__descriptor,
	};
	ProtobufCMessage *m;

	request.snapshotter = text(u->snapshotter);
	request.key = text(key);
	request.parent = text(parent);
	request.labels = u->labels;
	request.n_labels = ARRAY_SIZE(u->labels);
	if (rpc_unary(u->rpc, &call, arena, &m, err) < 0)
		return -1;
	*ret = (const void *)m;
	return 0;
}

static int apply(struct unpacking *u, const struct image_layer *layer,
		 const Containerd__SnapshotMounts *mounts, struct arena *arena, struct err *err)
{
	Containerd__DiffApply request = CONTAINERD__DIFF_APPLY__INIT;
	Containerd__Descriptor blob = CONTAINERD__DESCRIPTOR__INIT;
	const struct rpc_call call = {
		.method = "/containerd.services.diff.v1.Diff/Apply",
		.request = &request.base,
		.reply = &containerd__diff_reply__descriptor,
	};
	const Containerd__DiffReply *reply;
	ProtobufCMessage *m;
	int rc;

	blob.media_type = text(layer->media_type);
	blob.digest = text(layer->digest);
	blob.size = layer->size;
	request.layer = &blob;
	request.mounts = mounts->mounts;
	request.n_mounts = mounts->n_mounts;
	rpc_allow(u->rpc, UNPACK_MS);
	rc = rpc_unary(u->rpc, &call, arena, &m, err);
	rpc_allow(u->rpc, STEP_MS);
	if (rc < 0)
		return -1;
	reply = (const void *)m;
	if (!reply->applied || !str_eq(reply->applied->digest, layer->diff_id))
		return err_set(err, ERR_INVALID, "it holds %.80s where the image says %.80s",
			       reply->applied ? reply->applied->digest : "nothing", layer->diff_id);
	return 0;
}

static int commit(struct unpacking *u, const char *name, const char *key, struct arena *arena,
		  struct err *err)
{
	Containerd__SnapshotCommit request = CONTAINERD__SNAPSHOT_COMMIT__INIT;
	const struct rpc_call call = {
		.method = "/containerd.services.snapshots.v1.Snapshots/Commit",
		.request = &request.base,
		.reply = &containerd__nothing__descriptor,
	};
	ProtobufCMessage *m;

	request.snapshotter = text(u->snapshotter);
	request.name = text(name);
	request.key = text(key);
	request.labels = u->labels;
	request.n_labels = ARRAY_SIZE(u->labels);
	return rpc_unary(u->rpc, &call, arena, &m, err);
}

/* @top: the snapshot below, "" for the first one; then the one with this layer. */
static int apply_layer(struct unpacking *u, const struct image_layer *layer, size_t i, char *top,
		       size_t size, struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	const Containerd__SnapshotMounts *mounts;
	char name[192], key[200];

	if (!str_fmt(name, sizeof(name), "%s-%04zu", u->prefix, i) ||
	    !str_fmt(key, sizeof(key), "%s-active", name))
		return err_set(err, ERR_LIMIT, "the name %.100s is too long", u->prefix);
	if (prepare(u, key, top, &arena, &mounts, err) < 0 ||
	    apply(u, layer, mounts, &arena, err) < 0 || commit(u, name, key, &arena, err) < 0)
		return -1;
	return str_copy(top, size, name) ? 0 : err_set(err, ERR_LIMIT, "%s is too long", name);
}

int unpack_layers(struct rpc *rpc, const char *snapshotter, const char *prefix,
		  const struct image_layers *layers, char *ret_top, size_t size, struct err *err)
{
	struct unpacking u = { rpc, snapshotter, prefix, CONTAINERD__LABEL__INIT, { NULL } };

	u.label.key = text(LABEL);
	u.label.value = text("temporary");
	u.labels[0] = &u.label;
	ret_top[0] = '\0';
	for (size_t i = 0; i < layers->n; i++)
		if (apply_layer(&u, &layers->list[i], i, ret_top, size, err) < 0)
			return err_in(err, "layer %.80s", layers->list[i].digest);
	return 0;
}
