/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/image_layers.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/oci/json.h"

void image_layers_deinit(struct image_layers *l)
{
	free(l->list);
	*l = (struct image_layers){ NULL, 0 };
}

/* The array @inner, of the object @outer if that is named; ERR_INVALID without. */
static int array_at(json *document, const char *outer, const char *inner, json **ret,
		    struct err *err)
{
	json *from = document;

	if (outer && json_typed(document, outer, json_type_object, &from, err) < 0)
		return -1;
	if (json_typed(from, inner, json_type_array, ret, err) < 0)
		return -1;
	if (!*ret)
		return err_set(err, ERR_INVALID, "%s is missing", inner);
	return 0;
}

static int read_digest(const char *text, char ret[static DIGEST_MAX], struct err *err)
{
	if (!digest_is_valid(text))
		return err_set(err, ERR_INVALID, "\"%.80s\" is not a digest", text);
	str_copy(ret, DIGEST_MAX, text);
	return 0;
}

static int read_layer(json *blob, json *diff_id, struct image_layer *ret, struct err *err)
{
	const char *type, *digest;
	json *size;

	if (!json_object_is_type(blob, json_type_object) ||
	    !json_object_is_type(diff_id, json_type_string))
		return err_set(err, ERR_INVALID, "not a descriptor and a digest");
	if (json_text(blob, "mediaType", "", &type, err) < 0 ||
	    json_text(blob, "digest", "", &digest, err) < 0 ||
	    json_typed(blob, "size", json_type_int, &size, err) < 0)
		return -1;
	ret->size = size ? json_object_get_int64(size) : -1;
	if (ret->size < 0 || !str_copy(ret->media_type, sizeof(ret->media_type), type))
		return err_set(err, ERR_INVALID, "no size, or media type \"%.80s\"", type);
	return read_digest(digest, ret->digest, err) < 0 ||
			       read_digest(json_object_get_string(diff_id), ret->diff_id, err) < 0
		       ? -1
		       : 0;
}

static int read_layers(json *blobs, json *diff_ids, struct image_layers *ret, struct err *err)
{
	size_t n = json_object_array_length(blobs);

	if (n != json_object_array_length(diff_ids))
		return err_set(err, ERR_INVALID,
			       "the manifest has %zu layers, the configuration %zu", n,
			       json_object_array_length(diff_ids));
	if (n > LAYERS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d layers", LAYERS_MAX);
	ret->list = calloc(n + 1, sizeof(*ret->list));
	if (!ret->list)
		return err_set(err, ERR_NOMEM, "no memory for %zu layers", n);
	for (ret->n = 0; ret->n < n; ret->n++)
		if (read_layer(json_object_array_get_idx(blobs, ret->n),
			       json_object_array_get_idx(diff_ids, ret->n), &ret->list[ret->n],
			       err) < 0)
			return err_in(err, "layer %zu", ret->n + 1);
	return 0;
}

int image_layers_parse(const void *manifest, size_t n_manifest, const void *config, size_t n_config,
		       struct image_layers *ret, struct err *err)
{
	CLEANUP_LAYERS struct image_layers layers = { NULL, 0 };
	CLEANUP_JSON json *m = NULL;
	CLEANUP_JSON json *c = NULL;
	json *blobs, *diff_ids;

	if (json_parse(manifest, n_manifest, "manifest", &m, err) < 0 ||
	    json_parse(config, n_config, "image configuration", &c, err) < 0)
		return -1;
	if (array_at(m, NULL, "layers", &blobs, err) < 0 ||
	    array_at(c, "rootfs", "diff_ids", &diff_ids, err) < 0)
		return -1;
	if (read_layers(blobs, diff_ids, &layers, err) < 0)
		return -1;
	*ret = layers;
	layers = (struct image_layers){ NULL, 0 };
	return 0;
}
