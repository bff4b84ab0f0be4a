/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/containerd_store.h"

#include <string.h>

#include "proto/containerd.pb-c.h"
#include "runtime/base/str.h"
#include "runtime/containerd/content_info.h"
#include "runtime/containerd/snapshots.h"

/* Where CRI keeps its own record of a container (containerd's internal/cri/labels/labels.go). */
#define CRI_CONTAINER "io.cri-containerd.container.metadata"
#define CRI_SANDBOX "io.cri-containerd.sandbox.metadata"

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

/* JSON in an Any: bytes on the wire, without a terminator. NULL without it. */
static int any_text(const Containerd__Any *any, struct arena *arena, const char **ret,
		    struct err *err)
{
	char *text;

	*ret = NULL;
	if (!any)
		return 0;
	text = arena_alloc(arena, any->value.len + 1);
	if (!text)
		return err_set(err, ERR_NOMEM, "no memory for %zu bytes", any->value.len);
	if (any->value.len)
		memcpy(text, any->value.data, any->value.len);
	*ret = text;
	return 0;
}

static const Containerd__Any *extension(const Containerd__Container *c, const char *key)
{
	for (size_t i = 0; i < c->n_extensions; i++)
		if (str_eq(c->extensions[i]->key, key))
			return c->extensions[i]->value;
	return NULL;
}

static int get_container(struct image_store *store, const char *id, struct arena *arena,
			 struct container_record *ret, struct err *err)
{
	Containerd__ContainerGet request = CONTAINERD__CONTAINER_GET__INIT;
	const Containerd__Container *c;
	const char *metadata, *sandbox, *spec;
	ProtobufCMessage *m;

	request.id = (char *)(uintptr_t)id;
	if (call(store, "/containerd.services.containers.v1.Containers/Get", &request.base,
		 &containerd__container_reply__descriptor, arena, &m, err) < 0)
		return -1;
	c = ((const Containerd__ContainerReply *)(const void *)m)->container;
	if (!c)
		return err_set(err, ERR_INVALID, "containerd answers without a container");
	if (any_text(extension(c, CRI_CONTAINER), arena, &metadata, err) < 0 ||
	    any_text(extension(c, CRI_SANDBOX), arena, &sandbox, err) < 0 ||
	    any_text(c->spec, arena, &spec, err) < 0)
		return -1;
	*ret = (struct container_record){
		.image = c->image,
		.snapshotter = c->snapshotter,
		.snapshot_key = c->snapshot_key,
		.metadata = metadata,
		.sandbox = sandbox,
		.spec = spec,
		.spec_type = c->spec ? c->spec->type_url : "",
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

static int fetch_blob(struct image_store *store, const char *digest, struct buf *ret,
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

static int read_blob(struct image_store *store, const char *digest, struct buf *ret,
		     struct err *err)
{
	struct blob_cache *cache = container_of(store, struct containerd_store, store)->cache;
	const struct buf *known = cache ? blob_cache_find(cache, digest) : NULL;

	if (known)
		return buf_add(ret, known->data, known->len, err);
	if (fetch_blob(store, digest, ret, err) < 0)
		return -1;
	if (cache)
		blob_cache_keep(cache, digest, ret);
	return 0;
}

static int get_parent(struct image_store *store, const char *snapshotter, const char *key,
		      struct arena *arena, const char **ret, struct err *err)
{
	struct snapshot_info info;

	if (snapshot_stat(rpc_of(store), snapshotter, key, arena, &info, err) < 0)
		return -1;
	*ret = info.parent;
	return 0;
}

static int list_images(struct image_store *store, struct arena *arena, struct image_named **ret,
		       size_t *ret_n, struct err *err)
{
	Containerd__ImageList request = CONTAINERD__IMAGE_LIST__INIT;
	const Containerd__ImageListReply *reply;
	struct image_named *list;
	ProtobufCMessage *m;
	size_t n = 0;

	if (call(store, "/containerd.services.images.v1.Images/List", &request.base,
		 &containerd__image_list_reply__descriptor, arena, &m, err) < 0)
		return -1;
	reply = (const void *)m;
	list = arena_alloc(arena, (reply->n_images + 1) * sizeof(*list));
	if (!list)
		return err_set(err, ERR_NOMEM, "no memory for %zu images", reply->n_images);
	for (size_t i = 0; i < reply->n_images; i++) {
		const Containerd__Image *image = reply->images[i];

		if (image->target)
			list[n++] = (struct image_named){
				.name = image->name,
				.target = { image->target->media_type, image->target->digest },
			};
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

/* containerd's label for where a blob came from: "HOST" and "REPOSITORY[,REPOSITORY]"; the host is
 * without its port (AppendDistributionSourceLabel() in core/remotes/docker/handler.go). */
#define SOURCE_LABEL "containerd.io/distribution.source."

static size_t count_sources(const Containerd__ContentInfo *info)
{
	size_t n = 0;

	for (size_t i = 0; i < info->n_labels; i++)
		for (const char *c = info->labels[i]->value; *c; c++)
			n += *c == ',';
	return n + info->n_labels;
}

/* Adds what one label says to @ret, which has @n of them. */
static int add_sources(const Containerd__Label *label, struct arena *arena, const char **ret,
		       size_t *n, struct err *err)
{
	const char *host = str_after(label->key, SOURCE_LABEL), *rest = label->value;
	char text[512];

	for (; host && *rest; rest += strcspn(rest, ","), rest += *rest == ',') {
		if (!str_fmt(text, sizeof(text), "%s/%.*s", host, (int)strcspn(rest, ","), rest))
			continue;
		ret[*n] = arena_strdup(arena, text);
		if (!ret[(*n)++])
			return err_set(err, ERR_NOMEM, "no memory for a name");
	}
	return 0;
}

static int get_sources(struct image_store *store, const char *digest, struct arena *arena,
		       const char *const **ret, struct err *err)
{
	const Containerd__ContentInfo *info;
	const char **list;
	size_t n = 0;

	if (content_info(rpc_of(store), digest, arena, &info, err) < 0)
		return -1;
	list = arena_alloc(arena, (count_sources(info) + 1) * sizeof(*list));
	if (!list)
		return err_set(err, ERR_NOMEM, "no memory for names");
	for (size_t i = 0; i < info->n_labels; i++)
		if (add_sources(info->labels[i], arena, list, &n, err) < 0)
			return -1;
	list[n] = NULL;
	*ret = list;
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
			.images = list_images,
			.sources = get_sources,
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

int containerd_cri_answers(struct rpc *rpc, struct arena *arena, struct err *err)
{
	Containerd__Nothing request = CONTAINERD__NOTHING__INIT;
	/* Whatever it says: that it says something is the answer. */
	const struct rpc_call c = {
		.method = "/runtime.v1.RuntimeService/Version",
		.request = &request.base,
		.reply = &containerd__nothing__descriptor,
	};
	ProtobufCMessage *m;

	return rpc_unary(rpc, &c, arena, &m, err);
}
