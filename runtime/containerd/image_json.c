/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/image_json.h"

#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/oci/json.h"

static int parse(const void *bytes, size_t n, const char *what, json **ret, struct err *err)
{
	CLEANUP_JSON json *j = NULL;

	if (json_parse(bytes, n, what, &j, err) < 0)
		return -1;
	if (!json_object_is_type(j, json_type_object))
		return err_set(err, ERR_INVALID, "%s: not a JSON object", what);
	*ret = steal(j);
	return 0;
}

static int digest_at(json *o, const char *key, char ret[static DIGEST_MAX], struct err *err)
{
	const char *s;

	if (json_text(o, key, "", &s, err) < 0)
		return -1;
	if (!digest_is_valid(s))
		return err_set(err, ERR_INVALID, "%s \"%.80s\" is not a digest", key, s);
	str_copy(ret, DIGEST_MAX, s);
	return 0;
}

/* One component of a platform: short, and of characters that occur in Go's names. */
static bool is_component(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789._-");

	return n > 0 && n < PLATFORM_MAX / 4 && !s[n];
}

static int platform_parse(json *config, char ret[static PLATFORM_MAX], struct err *err)
{
	const char *os, *arch, *variant;

	if (json_text(config, "os", "linux", &os, err) < 0 ||
	    json_text(config, "architecture", "", &arch, err) < 0 ||
	    json_text(config, "variant", "", &variant, err) < 0)
		return -1;
	if (!is_component(os) || !is_component(arch) || (*variant && !is_component(variant)))
		return err_set(err, ERR_INVALID, "platform \"%.20s/%.20s/%.20s\" makes no sense",
			       os, arch, variant);
	str_fmt(ret, PLATFORM_MAX, "%s/%s%s%s", os, arch, *variant ? "/" : "", variant);
	return 0;
}

static int layer_add(json *id, char chain[static DIGEST_MAX], struct err *err)
{
	if (!json_object_is_type(id, json_type_string))
		return err_set(err, ERR_INVALID, "a layer that is not a string");
	return chain_add(chain, json_object_get_string(id), err);
}

static int chain_parse(json *config, char ret[static DIGEST_MAX], struct err *err)
{
	json *rootfs, *ids;
	size_t n;

	if (json_typed(config, "rootfs", json_type_object, &rootfs, err) < 0 ||
	    json_typed(rootfs, "diff_ids", json_type_array, &ids, err) < 0)
		return -1;
	n = ids ? json_object_array_length(ids) : 0;
	*ret = '\0';
	for (size_t i = 0; i < n; i++)
		if (layer_add(json_object_array_get_idx(ids, i), ret, err) < 0)
			return -1;
	return 0;
}

int image_config_parse(const void *bytes, size_t n, struct image_config *ret, struct err *err)
{
	CLEANUP_JSON json *config = NULL;

	if (parse(bytes, n, "JSON", &config, err) < 0)
		return -1;
	if (platform_parse(config, ret->platform, err) < 0)
		return -1;
	return chain_parse(config, ret->chain, err);
}

int image_manifest_parse(const void *bytes, size_t n, char ret_config[static DIGEST_MAX],
			 struct err *err)
{
	CLEANUP_JSON json *manifest = NULL;
	json *config;

	if (parse(bytes, n, "JSON", &manifest, err) < 0)
		return -1;
	if (json_typed(manifest, "config", json_type_object, &config, err) < 0)
		return -1;
	/* A document that is both is a trick to make two programs disagree (CVE-2021-41190). */
	if (!config || json_member(manifest, "manifests"))
		return err_set(err, ERR_INVALID, "not an image manifest");
	return digest_at(config, "digest", ret_config, err);
}

enum manifest_kind manifest_kind_of(const char *media_type)
{
	static const struct {
		const char *name;
		enum manifest_kind kind;
	} types[] = {
		{ "application/vnd.oci.image.index.v1+json", MANIFEST_INDEX },
		{ "application/vnd.docker.distribution.manifest.list.v2+json", MANIFEST_INDEX },
		{ "application/vnd.oci.image.manifest.v1+json", MANIFEST_IMAGE },
		{ "application/vnd.docker.distribution.manifest.v2+json", MANIFEST_IMAGE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (str_eq(media_type, types[i].name))
			return types[i].kind;
	return MANIFEST_OTHER;
}

/* What an index says about a manifest; an entry without a usable platform has none. */
static void ref_platform(json *entry, char ret[static PLATFORM_MAX])
{
	json *platform;
	struct err ignored;

	ret[0] = '\0';
	if (json_typed(entry, "platform", json_type_object, &platform, &ignored) < 0 || !platform ||
	    platform_parse(platform, ret, &ignored) < 0)
		ret[0] = '\0';
}

/* BuildKit keeps what it knows about an image beside it, as an image of no platform. */
static bool is_attestation(json *entry)
{
	json *annotations;
	struct err ignored;

	return json_typed(entry, "annotations", json_type_object, &annotations, &ignored) == 0 &&
	       json_member(annotations, "vnd.docker.reference.type");
}

static int ref_add(json *entry, struct manifest_ref *list, size_t *n, struct err *err)
{
	enum manifest_kind kind;
	const char *type;

	if (!json_object_is_type(entry, json_type_object))
		return err_set(err, ERR_INVALID, "a manifest that is not an object");
	if (json_text(entry, "mediaType", "", &type, err) < 0)
		return -1;
	kind = manifest_kind_of(type);
	if (kind == MANIFEST_OTHER || is_attestation(entry))
		return 0;
	if (*n == MANIFESTS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d manifests", MANIFESTS_MAX);
	if (digest_at(entry, "digest", list[*n].digest, err) < 0)
		return -1;
	ref_platform(entry, list[*n].platform);
	list[(*n)++].kind = kind;
	return 0;
}

int image_index_parse(const void *bytes, size_t n, struct manifest_ref *list, size_t *n_list,
		      struct err *err)
{
	CLEANUP_JSON json *index = NULL;
	json *entries;

	if (parse(bytes, n, "JSON", &index, err) < 0)
		return -1;
	if (json_typed(index, "manifests", json_type_array, &entries, err) < 0)
		return -1;
	if (!entries || json_member(index, "config"))
		return err_set(err, ERR_INVALID, "not an image index");
	for (size_t i = 0; i < json_object_array_length(entries); i++)
		if (ref_add(json_object_array_get_idx(entries, i), list, n_list, err) < 0)
			return err_in(err, "entry %zu", i);
	return 0;
}

int cri_image_ref_parse(const void *bytes, size_t n, char ret_ref[static DIGEST_MAX],
			struct err *err)
{
	CLEANUP_JSON json *record = NULL;
	json *metadata;

	if (parse(bytes, n, "CRI's record of the container", &record, err) < 0)
		return -1;
	if (json_typed(record, "Metadata", json_type_object, &metadata, err) < 0)
		return -1;
	if (!json_member(metadata, "ImageRef"))
		return err_set(err, ERR_NOT_FOUND, "CRI's record of the container has no ImageRef");
	return digest_at(metadata, "ImageRef", ret_ref, err);
}
