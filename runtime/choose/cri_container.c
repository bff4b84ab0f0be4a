/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/choose/cri_container.h"

#include <string.h>

#include "runtime/base/str.h"
#include "runtime/containerd/image_json.h"

/* The values of enum SupplementalGroupsPolicy (CRI's api.proto). */
#define POLICY_STRICT 1

void cri_container_deinit(struct cri_container *c)
{
	json_object_put(c->document);
	c->document = NULL;
}

static int read_id(json *context, const char *key, bool *ret_set, int64_t *ret, struct err *err)
{
	json *value;

	if (json_typed(context, key, json_type_object, &value, err) < 0)
		return -1;
	*ret_set = value != NULL;
	*ret = json_object_get_int64(json_member(value, "value"));
	return 0;
}

static int read_user(json *config, struct cri_container *ret, struct err *err)
{
	json *lnx, *context;

	if (json_typed(config, "linux", json_type_object, &lnx, err) < 0 ||
	    json_typed(lnx, "security_context", json_type_object, &context, err) < 0 ||
	    read_id(context, "run_as_user", &ret->has_user, &ret->user, err) < 0 ||
	    read_id(context, "run_as_group", &ret->has_group, &ret->group, err) < 0 ||
	    json_text(context, "run_as_username", "", &ret->username, err) < 0 ||
	    json_typed(context, "supplemental_groups", json_type_array, &ret->groups, err) < 0)
		return -1;
	ret->strict_groups =
		json_object_get_int(json_member(context, "supplemental_groups_policy")) ==
		POLICY_STRICT;
	return 0;
}

static int read_config(json *config, struct arena *arena, struct cri_container *ret,
		       struct err *err)
{
	json *image;

	if (json_typed(config, "image", json_type_object, &image, err) < 0 ||
	    json_text(image, "image", "", &ret->image, err) < 0 ||
	    json_text(image, "user_specified_image", "", &ret->written_image, err) < 0 ||
	    json_strings(config, "command", arena, &ret->command, err) < 0 ||
	    json_strings(config, "args", arena, &ret->args, err) < 0 ||
	    json_typed(config, "envs", json_type_array, &ret->envs, err) < 0 ||
	    json_text(config, "working_dir", "", &ret->cwd, err) < 0)
		return -1;
	return read_user(config, ret, err);
}

static int read_record(const char *text, struct arena *arena, struct cri_container *ret,
		       struct err *err)
{
	size_t n = strlen(text);
	json *metadata, *config;

	if (cri_image_ref_parse(text, n, ret->image_ref, err) < 0 ||
	    json_parse(text, n, "JSON", &ret->document, err) < 0 ||
	    json_typed(ret->document, "Metadata", json_type_object, &metadata, err) < 0 ||
	    json_text(metadata, "SandboxID", "", &ret->sandbox, err) < 0 ||
	    json_typed(metadata, "Config", json_type_object, &config, err) < 0)
		return -1;
	if (!config)
		return err_set(err, ERR_INVALID, "there is no \"Config\"");
	return read_config(config, arena, ret, err);
}

int cri_container_parse(const char *text, struct arena *arena, struct cri_container *ret,
			struct err *err)
{
	CLEANUP_CRI_CONTAINER struct cri_container c = { .document = NULL };

	if (read_record(text, arena, &c, err) < 0)
		return err_in(err, "CRI's record of the container");
	*ret = c;
	c.document = NULL;
	return 0;
}

int cri_sandbox_handler(const char *text, struct arena *arena, const char **ret, struct err *err)
{
	CLEANUP_JSON json *document = NULL;
	const char *handler;
	json *metadata;

	if (json_parse(text, strlen(text), "JSON", &document, err) < 0 ||
	    json_typed(document, "Metadata", json_type_object, &metadata, err) < 0 ||
	    json_text(metadata, "RuntimeHandler", "", &handler, err) < 0)
		return err_in(err, "CRI's record of the sandbox");
	*ret = arena_strdup(arena, handler);
	return *ret ? 0 : err_set(err, ERR_NOMEM, "no memory for the record of the sandbox");
}

bool cri_container_sets(const struct cri_container *c, const char *entry)
{
	size_t n = strcspn(entry, "=");

	for (size_t i = 0; c->envs && i < json_object_array_length(c->envs); i++) {
		json *key = json_member(json_object_array_get_idx(c->envs, i), "key");
		const char *name = json_object_get_string(key);

		if (name && strlen(name) == n && memcmp(name, entry, n) == 0)
			return true;
	}
	return false;
}
