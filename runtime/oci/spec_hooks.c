/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/oci/spec_hooks.h"

#include "runtime/base/str.h"

/* docker: the daemon's own program under another name. */
static bool is_docker_network(const char *const *args)
{
	return args[0] && str_eq(args[0], "libnetwork-setkey");
}

/* nerdctl: NAME [OPTION...] internal oci-hook POINT */
static bool is_nerdctl_network(const char *const *args)
{
	for (; args[0]; args++)
		if (args[1] && str_eq(args[0], "internal") && str_eq(args[1], "oci-hook"))
			return true;
	return false;
}

static int look(json *hook, struct arena *arena, bool *ret_changes, struct err *err)
{
	const char *const *args;

	if (!json_object_is_type(hook, json_type_object))
		return err_set(err, ERR_INVALID, "a hook is not an object");
	if (json_strings(hook, "args", arena, &args, err) < 0)
		return -1;
	*ret_changes = !is_docker_network(args) && !is_nerdctl_network(args);
	return 0;
}

static int look_at(json *hooks, const char *point, struct arena *arena, bool *changes,
		   struct err *err)
{
	json *list;
	size_t n;

	if (json_typed(hooks, point, json_type_array, &list, err) < 0)
		return -1;
	n = list ? json_object_array_length(list) : 0;
	for (size_t i = 0; i < n && !*changes; i++)
		if (look(json_object_array_get_idx(list, i), arena, changes, err) < 0)
			return err_in(err, "%s", point);
	return 0;
}

int spec_hooks_read(json *document, struct arena *arena, struct spec_hooks *ret, struct err *err)
{
	static const char *const before[] = { "prestart", "createRuntime", "createContainer",
					      "startContainer", "poststart" };
	json *hooks, *list;

	*ret = (struct spec_hooks){ .poststop = false };
	if (json_typed(document, "hooks", json_type_object, &hooks, err) < 0)
		return -1;
	if (json_typed(hooks, "poststop", json_type_array, &list, err) < 0)
		return err_in(err, "hooks");
	ret->poststop = list && json_object_array_length(list);
	for (size_t i = 0; i < ARRAY_SIZE(before); i++)
		if (look_at(hooks, before[i], arena, &ret->change_files, err) < 0)
			return err_in(err, "hooks");
	return 0;
}
