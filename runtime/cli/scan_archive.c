/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/scan_archive.h"

#include <stdlib.h>

#include "runtime/base/str.h"
#include "runtime/cli/archive_layer.h"
#include "runtime/cli/archive_store.h"
#include "runtime/cli/dry_run.h"
#include "runtime/cli/image_check.h"
#include "runtime/cli/output.h"
#include "runtime/cli/scan_names.h"
#include "runtime/cli/scratch_tree.h"
#include "runtime/containerd/image_layers.h"

struct archive_scan {
	const struct scan_question *q;
	struct archive_file file;
	struct archive_store store;
};

static void archive_scan_deinit(struct archive_scan *x)
{
	archive_store_deinit(&x->store);
	archive_file_deinit(&x->file);
}
#define CLEANUP_ARCHIVE_SCAN CLEANUP(archive_scan_deinit)

/* --- one platform ---------------------------------------------------------------------------- */

static int read_layers(struct archive_scan *x, const struct image_member *m,
		       const struct buf *config, struct image_layers *ret, struct err *err)
{
	CLEANUP_BUF struct buf manifest = BUF_INIT(BLOB_MAX);

	if (x->store.store.blob(&x->store.store, m->manifest, &manifest, err) < 0)
		return -1;
	return image_layers_parse(manifest.data, manifest.len, config->data, config->len, ret, err);
}

static int unpack(struct archive_scan *x, const struct image_layers *layers, int root,
		  struct err *err)
{
	struct room room;
	char place[512];

	if (room_of(root, &room, err) < 0)
		return -1;
	for (size_t i = 0; i < layers->n; i++) {
		const struct image_layer *l = &layers->list[i];

		if (archive_store_place(&x->store, l->digest, place, sizeof(place), err) < 0 ||
		    archive_layer_apply(&x->file, place, l->digest, root, &room, err) < 0)
			return err_in(err, "layer %.80s", l->digest);
	}
	return 0;
}

static int judge_tree(struct archive_scan *x, const struct image_member *m,
		      const struct buf *config, const char *root, struct report *ret,
		      struct err *err)
{
	CLEANUP_JSON json *spec = NULL;
	struct dry_run c = { .config_path = x->q->judge.config_path, .platform = m->declared };
	json *place;

	if (spec_of_image(config->data, config->len, NULL, &spec, err) < 0)
		return -1;
	place = json_object_new_object();
	json_object_object_add(place, "path", json_object_new_string(root));
	json_object_object_add(spec, "root", place);
	c.config = json_object_to_json_string(spec);
	return dry_run(&c, ret, err);
}

static int judge_member(struct archive_scan *x, const struct image_member *m, struct report *ret,
			struct err *err)
{
	CLEANUP_SCRATCH_TREE struct scratch_tree tree = SCRATCH_TREE_INIT;
	CLEANUP_BUF struct buf config = BUF_INIT(BLOB_MAX);
	CLEANUP_LAYERS struct image_layers layers = { NULL, 0 };

	if (x->store.store.blob(&x->store.store, m->ref, &config, err) < 0 ||
	    read_layers(x, m, &config, &layers, err) < 0 || scratch_tree_make(&tree, err) < 0 ||
	    unpack(x, &layers, tree.fd, err) < 0)
		return -1;
	return judge_tree(x, m, &config, tree.path, ret, err);
}

static int judge_variant(struct archive_scan *x, const struct scan_image *image,
			 struct scan_variant *v, struct err *err)
{
	const struct image_member *m = v->verdict.member;
	CLEANUP_FREE struct report *r = calloc(1, sizeof(*r));
	struct err bad = ERR_INIT;

	if (!r)
		return err_set(err, ERR_NOMEM, "no memory");
	if (*m->damage)
		scan_variant_unjudged(v, true, m->damage);
	else if (!m->here && !image->members.index)
		scan_variant_unjudged(v, true,
				      "its manifest or configuration is not in the archive");
	else if (!m->here)
		scan_variant_unjudged(v, false, "not in the archive");
	else if (judge_member(x, m, r, &bad) < 0)
		scan_variant_unjudged(v, true, bad.text);
	else
		v->verdict.report = steal(r);
	return 0;
}

/* --- all of them ----------------------------------------------------------------------------- */

static bool nothing_is_here(const struct image_members *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->list[i].here || *m->list[i].damage)
			return false;
	return m->index;
}

static int scan_image(struct archive_scan *x, struct scan_image *image, struct err *err)
{
	const struct image_descriptor root = { image->media_type, image->digest };
	struct err bad = ERR_INIT;

	if (image_members_of(&x->store.store, &root, &image->members, &bad) < 0) {
		(void)shown(image->error, sizeof(image->error), bad.text);
		return 0;
	}
	if (nothing_is_here(&image->members))
		(void)str_copy(image->error, sizeof(image->error),
			       "none of its platforms is in the archive");
	image->choice = cri_choice(&image->members, x->q->host);
	if (scan_image_variants(image, err) < 0)
		return -1;
	for (size_t i = 0; i < image->members.n; i++)
		if (judge_variant(x, image, &image->variants[i], err) < 0)
			return -1;
	return 0;
}

int scan_archive(struct scan *s, const char *path, bool dir, const struct scan_question *q,
		 struct err *err)
{
	CLEANUP_ARCHIVE_SCAN struct archive_scan x = { .q = q, .file = ARCHIVE_FILE_INIT };

	if ((dir ? archive_file_open_dir(path, &x.file, err)
		 : archive_file_open(path, &x.file, err)) < 0)
		return -1;
	if (archive_store_open(&x.file, &s->arena, &x.store, err) < 0)
		return err_in(err, "%.200s", path);
	if (scan_add_names(s, "", x.store.names, x.store.n, err) < 0)
		return -1;
	for (size_t i = 0; i < s->n_images; i++) {
		q->on_progress("images", i, s->n_images);
		if (scan_image(&x, &s->images[i], err) < 0)
			return -1;
	}
	return 0;
}
