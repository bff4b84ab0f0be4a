/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/image_members.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/str.h"

#define ANSWER_MAX (64u << 20)

/* Manifests still to be read; indexes put theirs at the end, so the walk is bounded. */
struct queue {
	struct manifest_ref list[MANIFESTS_MAX];
	size_t n;
};

void image_members_deinit(struct image_members *m)
{
	free(m->list);
	m->list = NULL;
	m->n = 0;
}

static int read_config(struct image_store *store, struct image_member *m, struct err *err)
{
	CLEANUP_BUF struct buf blob = BUF_INIT(BLOB_MAX);
	struct image_config config;

	if (store->blob(store, m->ref, &blob, err) < 0 ||
	    image_config_parse(blob.data, blob.len, &config, err) < 0)
		return -1;
	str_copy(m->declared, sizeof(m->declared), config.platform);
	if (!m->platform[0])
		str_copy(m->platform, sizeof(m->platform), config.platform);
	str_copy(m->chain, sizeof(m->chain), config.chain);
	return 0;
}

static int read_member(struct image_store *store, struct image_member *m, struct err *err)
{
	CLEANUP_BUF struct buf blob = BUF_INIT(BLOB_MAX);

	if (store->blob(store, m->manifest, &blob, err) < 0 ||
	    image_manifest_parse(blob.data, blob.len, m->ref, err) < 0 ||
	    read_config(store, m, err) < 0)
		return -1;
	m->here = true;
	return 0;
}

static int read_index(struct image_store *store, const char *digest, struct queue *q,
		      struct err *err)
{
	CLEANUP_BUF struct buf blob = BUF_INIT(BLOB_MAX);

	if (store->blob(store, digest, &blob, err) < 0)
		return -1;
	return image_index_parse(blob.data, blob.len, q->list, &q->n, err);
}

static struct image_member *new_member(const struct manifest_ref *ref, struct image_members *ret)
{
	struct image_member *m = &ret->list[ret->n];

	memset(m, 0, sizeof(*m));
	str_copy(m->manifest, sizeof(m->manifest), ref->digest);
	return m;
}

static void note_damage(struct image_member *m, const struct err *err)
{
	if (err->code != ERR_NOT_FOUND)
		(void)str_fmt(m->damage, sizeof(m->damage), "%.150s", err->text);
}

static void add_member(struct image_store *store, const struct manifest_ref *ref,
		       struct image_members *ret)
{
	struct image_member *m = new_member(ref, ret);
	struct err err = ERR_INIT;

	str_copy(m->platform, sizeof(m->platform), ref->platform);
	if (read_member(store, m, &err) < 0) {
		m->here = false;
		note_damage(m, &err);
	}
	if (!str_after(m->platform, "unknown/"))
		ret->n++;
}

/* One that is not here says nothing of the others. */
static void add_index(struct image_store *store, const struct manifest_ref *ref, struct queue *q,
		      struct image_members *ret)
{
	struct image_member *m = new_member(ref, ret);
	struct err err = ERR_INIT;

	if (read_index(store, ref->digest, q, &err) == 0)
		return;
	note_damage(m, &err);
	ret->n += *m->damage != '\0';
}

static int walk(struct image_store *store, struct queue *q, struct image_members *ret,
		struct err *err)
{
	for (size_t i = 0; i < q->n; i++) {
		const struct manifest_ref ref = q->list[i];

		if (ref.kind == MANIFEST_IMAGE)
			add_member(store, &ref, ret);
		else if (i)
			add_index(store, &ref, q, ret);
		else if (read_index(store, ref.digest, q, err) < 0)
			return -1;
	}
	return 0;
}

static int queue_root(const struct image_descriptor *root, struct queue *q, struct err *err)
{
	q->list[0].kind = manifest_kind_of(root->media_type);
	if (q->list[0].kind == MANIFEST_OTHER || !digest_is_valid(root->digest))
		return err_set(err, ERR_UNSUPPORTED, "it is not an image (media type %.80s)",
			       root->media_type);
	str_copy(q->list[0].digest, DIGEST_MAX, root->digest);
	q->n = 1;
	return 0;
}

static int queue_image(struct image_store *store, const char *name, struct queue *q,
		       struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	struct image_descriptor root;

	if (store->image(store, name, &arena, &root, err) < 0)
		return -1;
	return queue_root(&root, q, err) < 0 ? err_in(err, "image %.200s", name) : 0;
}

/* Most images have few of the many that there may be. */
static void shrink(struct image_members *m)
{
	struct image_member *list = realloc(m->list, (m->n + 1) * sizeof(*list));

	if (list)
		m->list = list;
}

static int read_queue(struct image_store *store, struct queue *q, struct image_members *ret,
		      struct err *err)
{
	CLEANUP_MEMBERS struct image_members m = { .list = NULL };

	m.list = calloc(MANIFESTS_MAX, sizeof(*m.list));
	if (!m.list)
		return err_set(err, ERR_NOMEM, "no memory for a list of platforms");
	m.index = q->list[0].kind == MANIFEST_INDEX;
	str_copy(m.digest, sizeof(m.digest), q->list[0].digest);
	if (walk(store, q, &m, err) < 0)
		return -1;
	*ret = m;
	m.list = NULL;
	shrink(ret);
	return 0;
}

int image_members_read(struct image_store *store, const char *name, struct image_members *ret,
		       struct err *err)
{
	CLEANUP_FREE struct queue *q = calloc(1, sizeof(*q));

	if (!q)
		return err_set(err, ERR_NOMEM, "no memory for a list of platforms");
	if (queue_image(store, name, q, err) < 0)
		return -1;
	if (read_queue(store, q, ret, err) < 0)
		return err_in(err, "image %.200s", name);
	return 0;
}

int image_members_of(struct image_store *store, const struct image_descriptor *root,
		     struct image_members *ret, struct err *err)
{
	CLEANUP_FREE struct queue *q = calloc(1, sizeof(*q));

	if (!q)
		return err_set(err, ERR_NOMEM, "no memory for a list of platforms");
	if (queue_root(root, q, err) < 0)
		return -1;
	return read_queue(store, q, ret, err);
}

/* Without a record of it nothing but the document itself says what it is. */
static int kind_of_blob(struct image_store *store, const char *digest, enum manifest_kind *ret,
			struct err *err)
{
	CLEANUP_BUF struct buf blob = BUF_INIT(BLOB_MAX);
	CLEANUP_FREE struct queue *entries = calloc(1, sizeof(*entries));
	struct err ignored;
	char config[DIGEST_MAX];

	if (!entries)
		return err_set(err, ERR_NOMEM, "no memory for a list of platforms");
	if (store->blob(store, digest, &blob, err) < 0)
		return -1;
	*ret = MANIFEST_INDEX;
	if (image_index_parse(blob.data, blob.len, entries->list, &entries->n, &ignored) == 0)
		return 0;
	*ret = MANIFEST_IMAGE;
	return image_manifest_parse(blob.data, blob.len, config, err);
}

int image_members_of_digest(struct image_store *store, const char *digest,
			    struct image_members *ret, struct err *err)
{
	CLEANUP_FREE struct queue *q = calloc(1, sizeof(*q));

	if (!q)
		return err_set(err, ERR_NOMEM, "no memory for a list of platforms");
	str_copy(q->list[0].digest, DIGEST_MAX, digest);
	q->n = 1;
	if (kind_of_blob(store, digest, &q->list[0].kind, err) < 0 ||
	    read_queue(store, q, ret, err) < 0)
		return err_in(err, "%.80s", digest);
	return 0;
}
