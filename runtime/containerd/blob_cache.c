/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/blob_cache.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/str.h"

static struct blob_cache *cache_of(struct image_store *store)
{
	return container_of(store, struct blob_cache, store);
}

static int get_container(struct image_store *store, const char *id, struct arena *arena,
			 struct container_record *ret, struct err *err)
{
	struct image_store *under = cache_of(store)->under;

	return under->container(under, id, arena, ret, err);
}

static int get_image(struct image_store *store, const char *name, struct arena *arena,
		     struct image_descriptor *ret, struct err *err)
{
	struct image_store *under = cache_of(store)->under;

	return under->image(under, name, arena, ret, err);
}

static int get_parent(struct image_store *store, const char *snapshotter, const char *key,
		      struct arena *arena, const char **ret, struct err *err)
{
	struct image_store *under = cache_of(store)->under;

	return under->snapshot_parent(under, snapshotter, key, arena, ret, err);
}

static int list_images(struct image_store *store, struct arena *arena, struct image_named **ret,
		       size_t *ret_n, struct err *err)
{
	struct image_store *under = cache_of(store)->under;

	return under->images(under, arena, ret, ret_n, err);
}

static int get_sources(struct image_store *store, const char *digest, struct arena *arena,
		       const char *const **ret, struct err *err)
{
	struct image_store *under = cache_of(store)->under;

	return under->sources(under, digest, arena, ret, err);
}

/* Without memory, or room in the table, the next look is one at the store again. */
static void keep(struct blob_cache *c, const char *digest, const struct buf *bytes)
{
	struct buf copy = BUF_INIT(BLOB_MAX);
	struct err ignored;
	char *name;

	if (c->n == BLOB_CACHE_MAX)
		return;
	name = strdup(digest);
	if (!name || buf_add(&copy, bytes->data, bytes->len, &ignored) < 0) {
		free(name);
		buf_deinit(&copy);
		return;
	}
	c->blobs[c->n].digest = name;
	c->blobs[c->n++].bytes = copy;
}

static int read_blob(struct image_store *store, const char *digest, struct buf *ret,
		     struct err *err)
{
	struct blob_cache *c = cache_of(store);

	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->blobs[i].digest, digest))
			return buf_add(ret, c->blobs[i].bytes.data, c->blobs[i].bytes.len, err);
	if (c->under->blob(c->under, digest, ret, err) < 0)
		return -1;
	keep(c, digest, ret);
	return 0;
}

void blob_cache_init(struct blob_cache *c, struct image_store *under)
{
	*c = (struct blob_cache){
		.store = {
			.container = get_container,
			.image = get_image,
			.blob = read_blob,
			.snapshot_parent = get_parent,
			.images = list_images,
			.sources = get_sources,
		},
		.under = under,
	};
}

void blob_cache_deinit(struct blob_cache *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->blobs[i].digest);
		buf_deinit(&c->blobs[i].bytes);
	}
	c->n = 0;
}
