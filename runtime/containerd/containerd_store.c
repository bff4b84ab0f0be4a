/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/containerd_store.h"

#include <string.h>

#include "proto/containerd.pb-c.h"
#include "runtime/base/str.h"

/* Where CRI keeps its own record of a container (containerd's internal/cri/labels/labels.go). */
#define CRI_CONTAINER "io.cri-containerd.container.metadata"

/* What one decoded answer may take; a container record with its spec is far below 1 MiB. */
#define ANSWER_MAX (64u << 20)

static struct rpc *rpc_of(struct image_store *store)
{
	return container_of(store, struct containerd_store, store)->rpc;
}

static int call(struct image_store *store, const char *method, const ProtobufCMessage *request,
		const ProtobufCMessageDescriptor *reply, struct arena *arena,
		ProtobufCMessage **ret, struct err *err)
{
	const struct rpc_call c = { .method = method, .request = request, .reply = reply };

	return rpc_unary(rpc_of(store), &c, arena, ret, err);
}

/* The text of an extension: bytes on the wire, JSON without a terminator. */
static int extension_text(const Containerd__Container *c, const char *key, struct arena *arena,
			  const char **ret, struct err *err)
{
	*ret = NULL;
	for (size_t i = 0; i < c->n_extensions; i++) {
		const Containerd__Any *any = c->extensions[i]->value;
		char *text;

		if (!any || !str_eq(c->extensions[i]->key, key))
			continue;
		text = arena_alloc(arena, any->value.len + 1);
		if (!text)
			return err_set(err, ERR_NOMEM, "no memory for %zu bytes", any->value.len);
		memcpy(text, any->value.data, any->value.len);
		*ret = text;
		return 0;
	}
	return 0;
}

static int get_container(struct image_store *store, const char *id, struct arena *arena,
			 struct container_record *ret, struct err *err)
{
	Containerd__ContainerGet request = CONTAINERD__CONTAINER_GET__INIT;
	const Containerd__Container *c;
	const char *metadata;
	ProtobufCMessage *m;

	request.id = (char *)(uintptr_t)id;
	if (call(store, "/containerd.services.containers.v1.Containers/Get", &request.base,
		 &containerd__container_reply__descriptor, arena, &m, err) < 0)
		return -1;
	c = ((const Containerd__ContainerReply *)(const void *)m)->container;
	if (!c)
		return err_set(err, ERR_INVALID, "containerd answers without a container");
	if (extension_text(c, CRI_CONTAINER, arena, &metadata, err) < 0)
		return -1;
	*ret = (struct container_record){
		.image = c->image,
		.snapshotter = c->snapshotter,
		.snapshot_key = c->snapshot_key,
		.metadata = metadata,
	};
	return 0;
}

static int get_image(struct image_store *store, const char *name, struct arena *arena,
		     struct image_descriptor *ret, struct err *err)
{
	Containerd__ImageGet request = CONTAINERD__IMAGE_GET__INIT;
	const Containerd__Image *image;
	ProtobufCMessage *m;

	request.name = (char *)(uintptr_t)name;
	if (call(store, "/containerd.services.images.v1.Images/Get", &request.base,
		 &containerd__image_reply__descriptor, arena, &m, err) < 0)
		return -1;
	image = ((const Containerd__ImageReply *)(const void *)m)->image;
	if (!image || !image->target)
		return err_set(err, ERR_INVALID, "containerd answers without an image");
	*ret = (struct image_descriptor){
		.media_type = image->target->media_type,
		.digest = image->target->digest,
	};
	return 0;
}

static int add_chunk(void *ctx, ProtobufCMessage *message, struct err *err)
{
	const Containerd__ContentChunk *chunk = (const void *)message;

	return buf_add(ctx, chunk->data.data, chunk->data.len, err);
}

static int read_blob(struct image_store *store, const char *digest, struct buf *ret,
		     struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	Containerd__ContentRead request = CONTAINERD__CONTENT_READ__INIT;
	const struct rpc_call c = {
		.method = "/containerd.services.content.v1.Content/Read",
		.request = &request.base,
		.reply = &containerd__content_chunk__descriptor,
	};

	request.digest = (char *)(uintptr_t)digest;
	return rpc_stream(rpc_of(store), &c, &arena, add_chunk, ret, err);
}

static int get_parent(struct image_store *store, const char *snapshotter, const char *key,
		      struct arena *arena, const char **ret, struct err *err)
{
	Containerd__SnapshotStat request = CONTAINERD__SNAPSHOT_STAT__INIT;
	const Containerd__SnapshotReply *reply;
	ProtobufCMessage *m;

	request.snapshotter = (char *)(uintptr_t)snapshotter;
	request.key = (char *)(uintptr_t)key;
	if (call(store, "/containerd.services.snapshots.v1.Snapshots/Stat", &request.base,
		 &containerd__snapshot_reply__descriptor, arena, &m, err) < 0)
		return -1;
	reply = (const void *)m;
	*ret = reply->info ? reply->info->parent : "";
	return 0;
}

void containerd_store_init(struct containerd_store *c, struct rpc *rpc)
{
	*c = (struct containerd_store){
		.store = {
			.container = get_container,
			.image = get_image,
			.blob = read_blob,
			.snapshot_parent = get_parent,
		},
		.rpc = rpc,
	};
}

int containerd_version(struct rpc *rpc, struct arena *arena, const char **ret, struct err *err)
{
	Containerd__Nothing request = CONTAINERD__NOTHING__INIT;
	const struct rpc_call c = {
		.method = "/containerd.services.version.v1.Version/Version",
		.request = &request.base,
		.reply = &containerd__version_reply__descriptor,
	};
	ProtobufCMessage *m;

	if (rpc_unary(rpc, &c, arena, &m, err) < 0)
		return -1;
	*ret = ((const Containerd__VersionReply *)(const void *)m)->version;
	return 0;
}
