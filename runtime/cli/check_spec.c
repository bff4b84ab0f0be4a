/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/str.h"
#include "runtime/cli/check.h"

static json *strings(const char *const *list)
{
	json *array = json_object_new_array();

	for (; list && *list; list++)
		json_object_array_add(array, json_object_new_string(*list));
	return array;
}

/* Owns what it is given. */
static json *spec_of(const char *root, json *args, json *env, const char *cwd)
{
	json *spec = json_object_new_object(), *process = json_object_new_object();
	json *root_object = json_object_new_object();

	json_object_object_add(process, "args", args);
	json_object_object_add(process, "env", env);
	json_object_object_add(process, "cwd", json_object_new_string(cwd && *cwd ? cwd : "/"));
	json_object_object_add(root_object, "path", json_object_new_string(root));
	json_object_object_add(spec, "ociVersion", json_object_new_string("1.0.2"));
	json_object_object_add(spec, "process", process);
	json_object_object_add(spec, "root", root_object);
	return spec;
}

json *check_spec(const char *root, const char *const *args, const char *const *env, const char *cwd)
{
	return spec_of(root, strings(args), strings(env), cwd);
}

/* Appends the members of the array @key of @config, if there is one. */
static int append(json *config, const char *key, json *to, struct err *err)
{
	json *from;

	if (json_typed(config, key, json_type_array, &from, err) < 0)
		return -1;
	for (size_t i = 0; from && i < json_object_array_length(from); i++)
		json_object_array_add(to, json_object_get(json_object_array_get_idx(from, i)));
	return 0;
}

int check_spec_of_image(const void *bytes, size_t n, const char *const *args, json **ret,
			struct err *err)
{
	CLEANUP_JSON json *document = NULL;
	CLEANUP_JSON json *command = NULL;
	CLEANUP_JSON json *env = NULL;
	const char *cwd;
	json *config;

	if (json_parse(bytes, n, "image configuration", &document, err) < 0 ||
	    json_typed(document, "config", json_type_object, &config, err) < 0 ||
	    json_text(config, "WorkingDir", "/", &cwd, err) < 0)
		return -1;
	command = strings(args);
	env = json_object_new_array();
	if (append(config, "Env", env, err) < 0)
		return -1;
	if (!json_object_array_length(command) && (append(config, "Entrypoint", command, err) < 0 ||
						   append(config, "Cmd", command, err) < 0))
		return -1;
	*ret = spec_of("rootfs", steal(command), steal(env), cwd);
	return 0;
}
