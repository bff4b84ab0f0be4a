/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/unpack.h"

#include <time.h>
#include <unistd.h>

#include "proto/containerd.pb-c.h"
#include "runtime/base/str.h"
#include "runtime/containerd/lease.h"
#include "runtime/containerd/rpc_tell.h"
#include "runtime/containerd/snapshots.h"

#define ANSWER_MAX (16u << 20)
#define STEP_MS 30000
#define WAIT_MS 250
#define LEASE_SECONDS 3600

/* Shows a person who lists snapshots whose these are. */
#define LABEL "io.crossarch.check"

/* What the snapshots of one unpacking have in common. */
struct unpacking {
	struct rpc *rpc;
	const char *snapshotter;
	Containerd__Label label, *labels[1];
	unpack_on_wait *on_wait; /* NULL: nobody wants to be told */
	void *ctx;
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

/* Waits for the daemon to extract a layer. */
static int wait_for(struct unpacking *u, const struct rpc_call *call, struct arena *arena,
		    ProtobufCMessage **ret, struct err *err)
{
	struct rpc_pending *pending;

	rpc_allow(u->rpc, UNPACK_MS);
	if (rpc_begin(u->rpc, call, &pending, err) < 0)
		return -1;
	while (!rpc_wait(pending, WAIT_MS))
		if (u->on_wait && !u->on_wait(u->ctx)) {
			rpc_abandon(pending);
			return err_set(err, ERR_TIMEOUT, "it was not waited for");
		}
	return rpc_finish(pending, arena, ret, err);
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
	rc = wait_for(u, &call, arena, &m, err);
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

/* The layer on top of the snapshot @parent, "" for none, as the committed snapshot @name. */
static int add_layer(struct unpacking *u, const struct image_layer *layer, const char *parent,
		     const char *name, const char *key, struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	const Containerd__SnapshotMounts *mounts;

	if (prepare(u, key, parent, &arena, &mounts, err) < 0 ||
	    apply(u, layer, mounts, &arena, err) < 0)
		return -1;
	return commit(u, name, key, &arena, err);
}

/* --- for ourselves --------------------------------------------------------------------------- */

/* @top: the snapshot below, "" for the first one; then the one with this layer. */
static int apply_layer(struct unpacking *u, const char *prefix, const struct image_layer *layer,
		       size_t i, char *top, size_t size, struct err *err)
{
	char name[192], key[200];

	if (!str_fmt(name, sizeof(name), "%s-%04zu", prefix, i) ||
	    !str_fmt(key, sizeof(key), "%s-active", name))
		return err_set(err, ERR_LIMIT, "the name %.100s is too long", prefix);
	if (add_layer(u, layer, top, name, key, err) < 0)
		return -1;
	return str_copy(top, size, name) ? 0 : err_set(err, ERR_LIMIT, "%s is too long", name);
}

static void unpacking_init(struct unpacking *u, struct rpc *rpc, const char *snapshotter,
			   const char *label, const char *value)
{
	*u = (struct unpacking){
		.rpc = rpc,
		.snapshotter = snapshotter,
		.label = CONTAINERD__LABEL__INIT,
	};
	u->label.key = text(label);
	u->label.value = text(value);
	u->labels[0] = &u->label;
}

int unpack_layers(struct rpc *rpc, const char *snapshotter, const char *prefix,
		  const struct image_layers *layers, char *ret_top, size_t size, struct err *err)
{
	struct unpacking u;

	unpacking_init(&u, rpc, snapshotter, LABEL, "temporary");
	ret_top[0] = '\0';
	for (size_t i = 0; i < layers->n; i++)
		if (apply_layer(&u, prefix, &layers->list[i], i, ret_top, size, err) < 0)
			return err_in(err, "layer %.80s", layers->list[i].digest);
	return 0;
}

/* --- for everybody ---------------------------------------------------------------------------- */

/* containerd's labels: of a snapshot, whose name differs where namespaces share a snapshotter
 * (snapshots/snapshotter.go), and of a blob that keeps a snapshot from its garbage collection. */
#define SNAPSHOT_REF "containerd.io/snapshot.ref"
#define KEEPS_SNAPSHOT "containerd.io/gc.ref.snapshot."

static int is_there(struct rpc *rpc, const char *snapshotter, const char *name, bool *ret,
		    struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	struct snapshot_info info;
	int rc = snapshot_stat(rpc, snapshotter, name, &arena, &info, err);

	*ret = rc == 0;
	return rc < 0 && err->code != ERR_NOT_FOUND ? -1 : 0;
}

/* One that somebody else has unpacked meanwhile is as good. */
static int add_shared(struct unpacking *u, const struct image_layer *layer, const char *parent,
		      const char *chain, struct err *err)
{
	struct err ignored;
	char key[DIGEST_MAX + 64];
	bool there;

	if (is_there(u->rpc, u->snapshotter, chain, &there, err) < 0 || there)
		return there ? 0 : -1;
	u->label.value = text(chain);
	(void)str_fmt(key, sizeof(key), "crossarch-unpack-%d %s", getpid(), chain);
	if (add_layer(u, layer, parent, chain, key, err) == 0)
		return 0;
	(void)!snapshot_remove(u->rpc, u->snapshotter, key, &ignored);
	return err->code == ERR_EXISTS ? 0 : -1;
}

/* From now on whatever keeps the configuration keeps the snapshot. */
static int keep_snapshot(struct rpc *rpc, const char *snapshotter, const char *config,
			 const char *chain, struct err *err)
{
	Containerd__ContentChange change = CONTAINERD__CONTENT_CHANGE__INIT;
	Containerd__ContentInfo info = CONTAINERD__CONTENT_INFO__INIT;
	Containerd__Label label = CONTAINERD__LABEL__INIT, *labels[] = { &label };
	Containerd__Mask mask = CONTAINERD__MASK__INIT;
	char key[128], path[160], *paths[] = { path };

	if (!str_fmt(key, sizeof(key), KEEPS_SNAPSHOT "%s", snapshotter))
		return err_set(err, ERR_LIMIT, "the name %.60s is too long", snapshotter);
	(void)str_fmt(path, sizeof(path), "labels.%s", key);
	label.key = key;
	label.value = text(chain);
	info.digest = text(config);
	info.labels = labels;
	info.n_labels = 1;
	mask.paths = paths;
	mask.n_paths = 1;
	change.info = &info;
	change.mask = &mask;
	return rpc_tell(rpc, "/containerd.services.content.v1.Content/Update", &change.base, err);
}

static int unpack_shared(struct unpacking *u, const char *config, const struct image_layers *layers,
			 struct err *err)
{
	char parent[DIGEST_MAX] = "", chain[DIGEST_MAX] = "";

	for (size_t i = 0; i < layers->n; i++) {
		const struct image_layer *layer = &layers->list[i];

		if (chain_add(chain, layer->diff_id, err) < 0 ||
		    add_shared(u, layer, parent, chain, err) < 0)
			return err_in(err, "layer %.80s", layer->digest);
		(void)str_copy(parent, sizeof(parent), chain);
	}
	return keep_snapshot(u->rpc, u->snapshotter, config, chain, err);
}

int unpack_image(struct rpc *rpc, const char *snapshotter, const char *config,
		 const struct image_layers *layers, unpack_on_wait *on_wait, void *ctx,
		 struct err *err)
{
	struct unpacking u;
	struct err ignored;
	char lease[80];
	int rc;

	(void)str_fmt(lease, sizeof(lease), "crossarch-unpack-%d-%lld", getpid(),
		      (long long)time(NULL));
	if (lease_begin(rpc, lease, LEASE_SECONDS, err) < 0)
		return -1;
	unpacking_init(&u, rpc, snapshotter, SNAPSHOT_REF, "");
	u.on_wait = on_wait;
	u.ctx = ctx;
	rc = unpack_shared(&u, config, layers, err);
	rpc_leave_lease(rpc);
	rpc_allow(rpc, STEP_MS);
	(void)!lease_end(rpc, lease, &ignored); /* or it expires */
	return rc;
}
