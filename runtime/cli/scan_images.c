/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/scan_images.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/sha256.h"
#include "runtime/base/str.h"
#include "runtime/cli/image_check.h"
#include "runtime/cli/output.h"
#include "runtime/cli/scan_names.h"
#include "runtime/containerd/lease.h"
#include "runtime/containerd/what_is_here.h"

/* --- a store that knows what it has ---------------------------------------------------------- */

/* Most platforms of most indexes are not on this node: that is known without asking for each. */
struct known_store {
	struct image_store store;
	struct image_store *below;
	struct name_set blobs, snapshots;
};

static int known_blob(struct image_store *store, const char *digest, struct buf *ret,
		      struct err *err)
{
	struct known_store *k = container_of(store, struct known_store, store);

	if (!name_set_has(&k->blobs, digest))
		return err_set(err, ERR_NOT_FOUND, "%s: not found", digest);
	return k->below->blob(k->below, digest, ret, err);
}

static int known_open(struct node_space *space, const char *snapshotter, struct arena *arena,
		      struct known_store *ret, struct err *err)
{
	*ret = (struct known_store){
		.store = { .blob = known_blob },
		.below = &space->containerd.store,
		.blobs = { .arena = arena },
		.snapshots = { .arena = arena },
	};
	return blobs_here(space->rpc, &ret->blobs, err) < 0
		       ? -1
		       : snapshots_here(space->rpc, snapshotter, &ret->snapshots, err);
}

/* --- what is known already ------------------------------------------------------------------- */

/* Layers and a specification are the same question, whatever image they are of. */
struct answered {
	char key[65];
	const struct image_verdict *verdict;
};

struct answers {
	struct answered *list; /* owned */
	size_t n, cap;
};

static void answers_deinit(struct answers *a)
{
	free(a->list);
}
#define CLEANUP_ANSWERS CLEANUP(answers_deinit)

static void key_of(const struct image_member *m, const char *config, char ret[static 65])
{
	struct sha256 s;
	uint8_t digest[32];

	sha256_init(&s);
	sha256_add(&s, m->chain, strlen(m->chain) + 1);
	sha256_add(&s, m->declared, strlen(m->declared) + 1);
	sha256_add(&s, config, strlen(config));
	sha256_end(&s, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

static const struct image_verdict *find_answer(const struct answers *a, const char *key)
{
	for (size_t i = 0; i < a->n; i++)
		if (str_eq(a->list[i].key, key))
			return a->list[i].verdict;
	return NULL;
}

/* Without memory it is asked again. */
static void keep_answer(struct answers *a, const char *key, const struct image_verdict *v)
{
	size_t cap = a->cap ? 2 * a->cap : 64;
	struct answered *list = a->n < a->cap ? a->list : realloc(a->list, cap * sizeof(*list));

	if (!list)
		return;
	a->cap = a->n < a->cap ? a->cap : cap;
	a->list = list;
	(void)str_copy(a->list[a->n].key, sizeof(a->list[0].key), key);
	a->list[a->n++].verdict = v;
}

/* --- one image ------------------------------------------------------------------------------- */

struct space_scan {
	const struct scan_question *q;
	struct image_judge judge;
	struct known_store known;
	struct answers *answers;
};

static void judge_known(struct space_scan *x, struct scan_variant *v, const char *config)
{
	const struct image_verdict *before;
	char key[65];

	key_of(v->verdict.member, config, key);
	before = find_answer(x->answers, key);
	if (before) {
		v->verdict.report = before->report;
		(void)str_copy(v->verdict.why, sizeof(v->verdict.why), before->why);
		v->shared = true;
		return;
	}
	image_judge_as(&x->judge, config, &v->verdict);
	keep_answer(x->answers, key, &v->verdict);
}

static void judge_variant(struct space_scan *x, struct scan_image *image, struct scan_variant *v)
{
	const struct image_member *m = v->verdict.member;
	CLEANUP_JSON json *spec = NULL;
	struct err err = ERR_INIT;

	v->unpacked = m->here && *m->chain && name_set_has(&x->known.snapshots, m->chain);
	if (*m->damage)
		scan_variant_unjudged(v, true, m->damage);
	else if (!m->here && !image->members.index)
		scan_variant_unjudged(v, true, "its manifest or configuration is gone");
	else if (!v->unpacked)
		scan_variant_unjudged(v, false,
				      !m->here	   ? "not on this node"
				      : !*m->chain ? "it has no layers"
						   : "not unpacked");
	else if (image_judge_spec(&x->judge, m, &spec, &err) < 0)
		scan_variant_unjudged(v, true, err.text);
	else
		judge_known(x, v, json_object_to_json_string(spec));
}

static int scan_image(struct space_scan *x, struct scan_image *image, struct err *err)
{
	const struct image_descriptor root = { image->media_type, image->digest };
	struct err bad = ERR_INIT;

	rpc_allow(x->judge.rpc, IMAGE_JUDGE_MS);
	if (image_members_of(&x->known.store, &root, &image->members, &bad) < 0) {
		(void)shown(image->error, sizeof(image->error), bad.text);
		return 0;
	}
	image->choice = cri_choice(&image->members, x->q->host);
	if (scan_image_variants(image, err) < 0)
		return -1;
	for (size_t i = 0; i < image->members.n; i++)
		judge_variant(x, image, &image->variants[i]);
	return 0;
}

/* --- the names ------------------------------------------------------------------------------- */

static int list_space(struct scan *s, struct node_space *space, struct err *err)
{
	struct image_named *list;
	size_t n;

	rpc_allow(space->rpc, IMAGE_JUDGE_MS);
	if (space->containerd.store.images(&space->containerd.store, &s->arena, &list, &n, err) < 0)
		return -1;
	return scan_add_names(s, space->name, list, n, err);
}

/* --- all of them ----------------------------------------------------------------------------- */

static int scan_under_lease(struct scan *s, struct space_scan *x, size_t from, size_t to,
			    struct err *err)
{
	for (size_t i = from; i < to; i++) {
		x->q->on_progress("images", i, s->n_images);
		if (scan_image(x, &s->images[i], err) < 0)
			return -1;
	}
	return 0;
}

static int scan_space(struct scan *s, const struct scan_question *q, struct node_space *space,
		      struct answers *answers, size_t from, size_t to, struct err *err)
{
	struct space_scan x = { .q = q, .judge = q->judge, .answers = answers };

	if (from == to)
		return 0;
	rpc_allow(space->rpc, IMAGE_JUDGE_MS);
	x.judge.rpc = space->rpc;
	if (known_open(space, q->judge.snapshotter, &s->arena, &x.known, err) < 0 ||
	    lease_begin(space->rpc, q->judge.lease, IMAGE_LEASE_SECONDS, err) < 0)
		return -1;
	x.judge.store = &x.known.store;
	if (scan_under_lease(s, &x, from, to, err) < 0)
		return -1;
	rpc_allow(space->rpc, IMAGE_JUDGE_MS);
	if (lease_end(space->rpc, q->judge.lease, err) < 0)
		return -1;
	rpc_leave_lease(space->rpc);
	return 0;
}

int scan_images(struct scan *s, const struct scan_question *q, struct err *err)
{
	CLEANUP_ANSWERS struct answers answers = { NULL, 0, 0 };
	CLEANUP_FREE size_t *ends = calloc(s->node.n_spaces + 1, sizeof(*ends));

	if (!ends)
		return err_set(err, ERR_NOMEM, "no memory for namespaces");
	/* All names first, so that the progress knows its end, and no image moves any more. */
	for (size_t i = 0; i < s->node.n_spaces; i++) {
		if (list_space(s, &s->node.spaces[i], err) < 0)
			return -1;
		ends[i] = s->n_images;
	}
	for (size_t i = 0; i < s->node.n_spaces; i++)
		if (scan_space(s, q, &s->node.spaces[i], &answers, i ? ends[i - 1] : 0, ends[i],
			       err) < 0)
			return err_in(err, "namespace %.80s", s->node.spaces[i].name);
	return 0;
}
