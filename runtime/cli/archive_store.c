/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/archive_store.h"

#include <search.h>
#include <stdbool.h>
#include <string.h>

#include "runtime/base/sha256.h"
#include "runtime/base/str.h"
#include "runtime/containerd/image_json.h"
#include "runtime/containerd/image_layers.h"
#include "runtime/oci/json.h"

#define NAMES_MAX 4096
#define EXTRAS_MAX 65536

#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"

/* A blob that has another place than its digest says. */
struct extra {
	const char *digest;
	const char *place; /* the file in the archive, NULL: it is @text */
	const char *text;
};

static void nothing(void *node)
{
	(void)node;
}

void archive_store_deinit(struct archive_store *s)
{
	tdestroy(s->extras, nothing); /* the blobs themselves live in the arena */
	s->extras = NULL;
}

/* --- blobs ----------------------------------------------------------------------------------- */

static int by_digest(const void *a, const void *b)
{
	return strcmp(((const struct extra *)a)->digest, ((const struct extra *)b)->digest);
}

static const struct extra *extra_of(const struct archive_store *s, const char *digest)
{
	const struct extra key = { .digest = digest };
	struct extra *const *node = tfind(&key, &s->extras, by_digest);

	return node ? *node : NULL;
}

int archive_store_place(const struct archive_store *s, const char *digest, char *ret, size_t size,
			struct err *err)
{
	const struct extra *x = extra_of(s, digest);
	const char *colon = strchr(digest, ':');

	if (x && x->place)
		return str_copy(ret, size, x->place)
			       ? 0
			       : err_set(err, ERR_LIMIT, "%.200s: a long name", x->place);
	if (!digest_is_valid(digest) || !colon ||
	    !str_fmt(ret, size, "blobs/%.*s/%s", (int)(colon - digest), digest, colon + 1))
		return err_set(err, ERR_INVALID, "\"%.80s\" is not a digest", digest);
	return 0;
}

/* What the file holds has to be what its name says. */
static int compare(const char *digest, const struct buf *bytes, struct err *err)
{
	const char *hex = str_after(digest, "sha256:");
	char found[65];

	if (!hex)
		return 0;
	sha256_hex(bytes->data, bytes->len, found);
	return str_eq(found, hex) ? 0
				  : err_set(err, ERR_INVALID,
					    "%.80s is damaged: it holds sha256:%s", digest, found);
}

static int get_blob(struct image_store *store, const char *digest, struct buf *ret, struct err *err)
{
	const struct archive_store *s = container_of(store, struct archive_store, store);
	const struct extra *x = extra_of(s, digest);
	char place[512];

	if (x && x->text)
		return buf_add(ret, x->text, strlen(x->text), err);
	if (archive_store_place(s, digest, place, sizeof(place), err) < 0 ||
	    archive_file_read(s->file, place, ret, err) < 0)
		return -1;
	return compare(digest, ret, err);
}

static int get_images(struct image_store *store, struct arena *arena, struct image_named **ret,
		      size_t *ret_n, struct err *err)
{
	const struct archive_store *s = container_of(store, struct archive_store, store);

	(void)arena;
	(void)err;
	*ret = s->names;
	*ret_n = s->n;
	return 0;
}

/* --- texts that stay ------------------------------------------------------------------------- */

static int keep(struct archive_store *s, const char *text, const char **ret, struct err *err)
{
	*ret = arena_strdup(s->arena, text);
	return *ret ? 0 : err_set(err, ERR_NOMEM, "no memory for names");
}

static int add_name(struct archive_store *s, const char *name, const char *type, const char *digest,
		    struct err *err)
{
	struct image_named *n = &s->names[s->n];

	if (s->n == NAMES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d images", NAMES_MAX);
	if (!digest_is_valid(digest))
		return err_set(err, ERR_INVALID, "\"%.80s\" is not a digest", digest);
	if (keep(s, *name ? name : digest, &n->name, err) < 0 ||
	    keep(s, type, &n->target.media_type, err) < 0 ||
	    keep(s, digest, &n->target.digest, err) < 0)
		return -1;
	s->n++;
	return 0;
}

/* --- an OCI layout --------------------------------------------------------------------------- */

/* BuildKit keeps what it knows about an image beside it, as an image of no platform. */
static bool is_attestation(json *descriptor)
{
	const char *os;
	struct err ignored;

	if (json_member(json_member(descriptor, "annotations"), "vnd.docker.reference.type"))
		return true;
	return json_text(json_member(descriptor, "platform"), "os", "", &os, &ignored) == 0 &&
	       str_eq(os, "unknown");
}

static int add_descriptor(struct archive_store *s, json *d, struct err *err)
{
	const char *type, *digest, *name, *ref;
	json *annotations;

	if (json_text(d, "mediaType", "", &type, err) < 0 ||
	    json_text(d, "digest", "", &digest, err) < 0 ||
	    json_typed(d, "annotations", json_type_object, &annotations, err) < 0 ||
	    json_text(annotations, "io.containerd.image.name", "", &name, err) < 0 ||
	    json_text(annotations, "org.opencontainers.image.ref.name", "", &ref, err) < 0)
		return -1;
	return add_name(s, *name ? name : ref, type, digest, err);
}

static int read_layout(struct archive_store *s, const struct buf *text, struct err *err)
{
	CLEANUP_JSON json *document = NULL;
	json *list;

	if (json_parse(text->data, text->len, "index.json", &document, err) < 0 ||
	    json_typed(document, "manifests", json_type_array, &list, err) < 0)
		return -1;
	if (!list)
		return err_set(err, ERR_INVALID, "index.json has no \"manifests\"");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json *d = json_object_array_get_idx(list, i);

		if (!json_object_is_type(d, json_type_object))
			return err_set(err, ERR_INVALID, "index.json: not a descriptor");
		if (!is_attestation(d) && add_descriptor(s, d, err) < 0)
			return err_in(err, "index.json");
	}
	return 0;
}

/* --- what docker saved ----------------------------------------------------------------------- */

static int add_extra(struct archive_store *s, const char *digest, const char *place,
		     const char *text, struct err *err)
{
	struct extra *x;

	if (extra_of(s, digest))
		return 0;
	if (s->n_extras++ == EXTRAS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d layers", EXTRAS_MAX);
	x = arena_alloc(s->arena, sizeof(*x));
	if (!x)
		return err_set(err, ERR_NOMEM, "no memory for names");
	if (keep(s, digest, &x->digest, err) < 0 || (place && keep(s, place, &x->place, err) < 0) ||
	    (text && keep(s, text, &x->text, err) < 0))
		return -1;
	if (!tsearch(x, &s->extras, by_digest))
		return err_set(err, ERR_NOMEM, "no memory for names");
	return 0;
}

static void digest_of(const void *bytes, size_t n, char ret[static 80])
{
	memcpy(ret, "sha256:", 7);
	sha256_hex(bytes, n, ret + 7);
}

static json *descriptor(const char *type, const char *digest, size_t size)
{
	json *o = json_object_new_object();

	json_object_object_add(o, "mediaType", json_object_new_string(type));
	json_object_object_add(o, "digest", json_object_new_string(digest));
	json_object_object_add(o, "size", json_object_new_int64((int64_t)size));
	return o;
}

/* A layer is a plain archive there, so its digest is the one that the configuration has of it. */
static int add_layer(struct archive_store *s, json *diff_id, json *place, json *layers,
		     struct err *err)
{
	const char *digest = json_object_get_string(diff_id);

	if (!json_object_is_type(place, json_type_string) || !digest || !digest_is_valid(digest))
		return err_set(err, ERR_INVALID, "a layer without a name or digest");
	json_object_array_add(layers,
			      descriptor("application/vnd.oci.image.layer.v1.tar", digest, 0));
	return add_extra(s, digest, json_object_get_string(place), NULL, err);
}

static int add_layers(struct archive_store *s, json *places, const struct buf *config, json *layers,
		      struct err *err)
{
	CLEANUP_JSON json *document = NULL;
	json *rootfs, *diff_ids;

	if (json_parse(config->data, config->len, "image configuration", &document, err) < 0 ||
	    json_typed(document, "rootfs", json_type_object, &rootfs, err) < 0 ||
	    json_typed(rootfs, "diff_ids", json_type_array, &diff_ids, err) < 0)
		return -1;
	if (!diff_ids || !places ||
	    json_object_array_length(diff_ids) != json_object_array_length(places))
		return err_set(err, ERR_INVALID, "its layers are not those of its configuration");
	if (json_object_array_length(places) > LAYERS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d layers", LAYERS_MAX);
	for (size_t i = 0; i < json_object_array_length(places); i++)
		if (add_layer(s, json_object_array_get_idx(diff_ids, i),
			      json_object_array_get_idx(places, i), layers, err) < 0)
			return -1;
	return 0;
}

/* A manifest as a registry would have made it of the image. */
static int make_manifest(struct archive_store *s, const char *config_place, json *places,
			 char ret_digest[static 80], struct err *err)
{
	CLEANUP_BUF struct buf config = BUF_INIT(BLOB_MAX);
	CLEANUP_JSON json *manifest = json_object_new_object();
	json *layers = json_object_new_array();
	char digest[80];
	const char *text;

	json_object_object_add(manifest, "layers", layers);
	if (archive_file_read(s->file, config_place, &config, err) < 0 ||
	    add_layers(s, places, &config, layers, err) < 0)
		return -1;
	digest_of(config.data, config.len, digest);
	json_object_object_add(
		manifest, "config",
		descriptor("application/vnd.oci.image.config.v1+json", digest, config.len));
	text = json_object_to_json_string(manifest);
	digest_of(text, strlen(text), ret_digest);
	if (add_extra(s, digest, config_place, NULL, err) < 0)
		return -1;
	return add_extra(s, ret_digest, NULL, text, err);
}

static int add_saved(struct archive_store *s, json *image, struct err *err)
{
	const char *config;
	json *places, *tags;
	char digest[80];
	size_t n;

	if (json_text(image, "Config", "", &config, err) < 0 ||
	    json_typed(image, "Layers", json_type_array, &places, err) < 0 ||
	    json_typed(image, "RepoTags", json_type_array, &tags, err) < 0 ||
	    make_manifest(s, config, places, digest, err) < 0)
		return -1;
	n = tags ? json_object_array_length(tags) : 0;
	for (size_t i = 0; i < n; i++) {
		const char *tag = json_object_get_string(json_object_array_get_idx(tags, i));

		if (add_name(s, tag ? tag : "", MANIFEST_TYPE, digest, err) < 0)
			return -1;
	}
	return n ? 0 : add_name(s, "", MANIFEST_TYPE, digest, err);
}

/* It is a list, which json_parse() takes like an object. */
static int read_saved(struct archive_store *s, const struct buf *text, struct err *err)
{
	CLEANUP_JSON json *list = NULL;

	if (json_parse(text->data, text->len, "manifest.json", &list, err) < 0)
		return -1;
	if (!json_object_is_type(list, json_type_array))
		return err_set(err, ERR_INVALID, "manifest.json is not a list");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json *image = json_object_array_get_idx(list, i);

		if (!json_object_is_type(image, json_type_object))
			return err_set(err, ERR_INVALID, "manifest.json: not an image");
		if (add_saved(s, image, err) < 0)
			return err_in(err, "manifest.json");
	}
	return 0;
}

/* --- either ---------------------------------------------------------------------------------- */

static int read_either(struct archive_store *s, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(BLOB_MAX);

	if (archive_file_read(s->file, "index.json", &text, err) == 0)
		return read_layout(s, &text, err);
	if (err->code != ERR_NOT_FOUND)
		return -1;
	if (archive_file_read(s->file, "manifest.json", &text, err) == 0)
		return read_saved(s, &text, err);
	if (err->code == ERR_NOT_FOUND)
		return err_set(err, ERR_INVALID,
			       "no image archive: it has neither index.json (OCI) nor "
			       "manifest.json (docker save)");
	return -1;
}

int archive_store_open(const struct archive_file *f, struct arena *arena, struct archive_store *ret,
		       struct err *err)
{
	*ret = (struct archive_store){ .store = { .blob = get_blob, .images = get_images },
				       .file = f,
				       .arena = arena };
	ret->names = arena_alloc(arena, NAMES_MAX * sizeof(*ret->names));
	if (!ret->names)
		return err_set(err, ERR_NOMEM, "no memory for names");
	if (read_either(ret, err) < 0)
		return -1;
	return ret->n ? 0 : err_set(err, ERR_INVALID, "no image is in it");
}
