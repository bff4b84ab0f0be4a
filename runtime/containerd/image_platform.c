/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/image_platform.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/str.h"

/* All blobs of one lookup together. */
#define LOOKUP_MAX (16u << 20)

/* What one answer of the store may take in memory. */
#define ANSWER_MAX (64u << 20)

/*
 * A walk over the images a descriptor leads to. Manifests wait in a list, indexes put theirs at
 * its end, so nesting costs no recursion and MANIFESTS_MAX bounds the whole walk.
 */
struct walk {
	struct image_store *store;
	struct manifest_ref list[MANIFESTS_MAX];
	size_t n, at;
	size_t bytes_left;
	/* Looks at one image. *ret_done ends the walk. */
	int (*visit)(struct walk *walk, const char *ref, const struct image_config *config,
		     bool *ret_done, struct err *err);
	void *ctx;
};

static int read_blob(struct walk *walk, const char *digest, struct buf *blob, struct err *err)
{
	blob->max = walk->bytes_left < BLOB_MAX ? walk->bytes_left : BLOB_MAX;
	if (walk->store->blob(walk->store, digest, blob, err) < 0)
		return -1;
	walk->bytes_left -= blob->len;
	return 0;
}

static int read_config(struct walk *walk, const char *digest, struct image_config *ret,
		       struct err *err)
{
	CLEANUP_BUF struct buf blob = BUF_INIT(0);

	if (read_blob(walk, digest, &blob, err) < 0)
		return err_in(err, "image configuration %s", digest);
	if (image_config_parse(blob.data, blob.len, ret, err) < 0)
		return err_in(err, "image configuration %s", digest);
	return 0;
}

static int visit_image(struct walk *walk, const struct buf *manifest, bool *done, struct err *err)
{
	char ref[DIGEST_MAX];
	struct image_config config;

	if (image_manifest_parse(manifest->data, manifest->len, ref, err) < 0)
		return -1;
	if (read_config(walk, ref, &config, err) < 0)
		return -1;
	return walk->visit(walk, ref, &config, done, err);
}

static int visit_ref(struct walk *walk, const struct manifest_ref *m, bool *done, struct err *err)
{
	CLEANUP_BUF struct buf blob = BUF_INIT(0);
	int r;

	r = read_blob(walk, m->digest, &blob, err);
	if (r == 0 && m->kind == MANIFEST_INDEX)
		r = image_index_parse(blob.data, blob.len, walk->list, &walk->n, err);
	else if (r == 0)
		r = visit_image(walk, &blob, done, err);
	return r < 0 ? err_in(err, "manifest %s", m->digest) : 0;
}

/*
 * Whether the walk goes on after one manifest of several failed: platforms that were never pulled
 * have no blobs here, and a strange entry says nothing about its neighbours.
 */
static bool is_skippable(const struct walk *walk, const struct err *err)
{
	if (walk->at == 0)
		return false;
	return err->code == ERR_NOT_FOUND || err->code == ERR_INVALID;
}

static int walk_images(struct walk *walk, const struct image_descriptor *root, struct err *err)
{
	bool done = false;

	walk->list[0].kind = manifest_kind_of(root->media_type);
	if (walk->list[0].kind == MANIFEST_OTHER)
		return err_set(err, ERR_UNSUPPORTED, "media type \"%.80s\" is not an image",
			       root->media_type);
	if (!digest_is_valid(root->digest))
		return err_set(err, ERR_INVALID, "target \"%.80s\" is not a digest", root->digest);
	str_copy(walk->list[0].digest, DIGEST_MAX, root->digest);
	walk->n = 1;
	for (walk->at = 0; walk->at < walk->n && !done; walk->at++)
		if (visit_ref(walk, &walk->list[walk->at], &done, err) < 0 &&
		    !is_skippable(walk, err))
			return -1;
	return 0;
}

/* Heap, not stack: the list alone is 38 KB. */
static struct walk *walk_new(struct image_store *store)
{
	struct walk *walk = calloc(1, sizeof(*walk));

	if (walk) {
		walk->store = store;
		walk->bytes_left = LOOKUP_MAX;
	}
	return walk;
}

static int walk_name(struct walk *walk, const char *name, struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	struct image_descriptor root;

	if (walk->store->image(walk->store, name, &arena, &root, err) < 0)
		return -1;
	if (walk_images(walk, &root, err) < 0)
		return err_in(err, "image %s", name);
	return 0;
}

/* --- of a container ------------------------------------------------------------------------ */

struct wanted {
	const char *parent; /* snapshot the container stands on */
	struct image_platform *ret;
	bool found;
};

static int visit_wanted(struct walk *walk, const char *ref, const struct image_config *config,
			bool *ret_done, struct err *err)
{
	struct wanted *wanted = walk->ctx;

	(void)err;
	if (!chain_matches(config->chain, wanted->parent))
		return 0;
	str_copy(wanted->ret->ref, sizeof(wanted->ret->ref), ref);
	str_copy(wanted->ret->platform, sizeof(wanted->ret->platform), config->platform);
	wanted->found = *ret_done = true;
	return 0;
}

/* By layers: works for every client of containerd, and when the name has moved says so. */
static int by_layers(struct walk *walk, const struct container_record *c, struct arena *arena,
		     struct image_platform *ret, struct err *err)
{
	struct wanted wanted = { .ret = ret };

	if (!*c->image)
		return err_set(err, ERR_NOT_FOUND, "no image is recorded for the container");
	if (walk->store->snapshot_parent(walk->store, c->snapshotter, c->snapshot_key, arena,
					 &wanted.parent, err) < 0)
		return err_in(err, "snapshot of the container");
	walk->visit = visit_wanted;
	walk->ctx = &wanted;
	if (walk_name(walk, c->image, err) < 0)
		return -1;
	if (!wanted.found)
		return err_set(
			err, ERR_NOT_FOUND,
			"nothing that %.200s names has the container's layers (snapshot %.80s)",
			c->image, wanted.parent);
	return 0;
}

/* By the configuration CRI noted when it made the container. */
static int by_record(struct walk *walk, const char *metadata, struct image_platform *ret,
		     struct err *err)
{
	struct image_config config;

	if (cri_image_ref_parse(metadata, strlen(metadata), ret->ref, err) < 0)
		return -1;
	if (read_config(walk, ret->ref, &config, err) < 0)
		return -1;
	str_copy(ret->platform, sizeof(ret->platform), config.platform);
	return 0;
}

int image_platform_of_container(struct image_store *store, const char *id,
				struct image_platform *ret, struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	CLEANUP_FREE struct walk *walk = walk_new(store);
	struct image_platform found = { .platform = "" };
	struct container_record c;
	int r = -1;

	if (!walk)
		return err_set(err, ERR_NOMEM, "no memory for a lookup");
	if (store->container(store, id, &arena, &c, err) < 0)
		return -1;
	str_copy(found.image, sizeof(found.image), c.image);
	if (c.metadata)
		r = by_record(walk, c.metadata, &found, err);
	if (!c.metadata || (r < 0 && err->code == ERR_NOT_FOUND))
		r = by_layers(walk, &c, &arena, &found, err);
	if (r < 0)
		return err_in(err, "container %s", id);
	*ret = found;
	return 0;
}

/* --- of a name ----------------------------------------------------------------------------- */

struct collected {
	const char *name;
	struct image_platform *list; /* room for MANIFESTS_MAX */
	size_t n;
};

/*
 * The walk visits at most MANIFESTS_MAX images, so the list cannot overflow. Build tools store
 * attestations as images of platform unknown/unknown; they are no images anybody runs.
 */
static int visit_collect(struct walk *walk, const char *ref, const struct image_config *config,
			 bool *ret_done, struct err *err)
{
	struct collected *all = walk->ctx;
	struct image_platform *p;

	(void)ret_done;
	(void)err;
	if (str_after(config->platform, "unknown/"))
		return 0;
	p = &all->list[all->n++];
	str_copy(p->platform, sizeof(p->platform), config->platform);
	str_copy(p->image, sizeof(p->image), all->name);
	str_copy(p->ref, sizeof(p->ref), ref);
	return 0;
}

int image_platforms_of_name(struct image_store *store, const char *name, struct image_platform *ret,
			    size_t *ret_n, struct err *err)
{
	CLEANUP_FREE struct walk *walk = walk_new(store);
	struct collected all = { .name = name, .list = ret };

	if (!walk)
		return err_set(err, ERR_NOMEM, "no memory for a lookup");
	walk->visit = visit_collect;
	walk->ctx = &all;
	if (walk_name(walk, name, err) < 0)
		return -1;
	if (!all.n)
		return err_set(err, ERR_NOT_FOUND, "image %s: no platform of it is on this node",
			       name);
	*ret_n = all.n;
	return 0;
}
