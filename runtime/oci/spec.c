/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/oci/spec.h"

#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

int spec_process_read(json *process, struct arena *arena, struct spec_process *ret, struct err *err)
{
	if (json_strings(process, "args", arena, &ret->args, err) < 0 ||
	    json_strings(process, "env", arena, &ret->env, err) < 0 ||
	    json_text(process, "cwd", "/", &ret->cwd, err) < 0)
		return err_in(err, "process");
	ret->no_new_privileges = json_object_get_boolean(json_member(process, "noNewPrivileges"));
	ret->terminal = json_object_get_boolean(json_member(process, "terminal"));
	return 0;
}

static int read_mounts(struct spec *s, struct arena *arena, struct err *err)
{
	json *array;
	size_t n;

	if (json_typed(s->document, "mounts", json_type_array, &array, err) < 0)
		return -1;
	n = array ? json_object_array_length(array) : 0;
	s->mounts = arena_alloc(arena, n * sizeof(*s->mounts) + 1);
	if (!s->mounts)
		return err_set(err, ERR_NOMEM, "no memory for %zu mounts", n);
	for (size_t i = 0; i < n; i++) {
		json *item = json_object_array_get_idx(array, i);
		struct spec_mount *m = &s->mounts[i];

		if (json_text(item, "destination", "", &m->destination, err) < 0 ||
		    json_text(item, "type", "", &m->type, err) < 0 ||
		    json_text(item, "source", "", &m->source, err) < 0 ||
		    json_strings(item, "options", arena, &m->options, err) < 0)
			return err_in(err, "mounts[%zu]", i);
	}
	s->n_mounts = n;
	return 0;
}

static int read_namespaces(json *lnx, struct spec *s, struct err *err)
{
	json *array;

	if (json_typed(lnx, "namespaces", json_type_array, &array, err) < 0)
		return -1;
	s->host_pid = true;
	for (size_t i = 0; array && i < json_object_array_length(array); i++) {
		json *item = json_object_array_get_idx(array, i);
		const char *type, *path;

		if (json_text(item, "type", "", &type, err) < 0 ||
		    json_text(item, "path", "", &path, err) < 0)
			return err_in(err, "namespaces[%zu]", i);
		if (str_eq(type, "pid"))
			s->host_pid = false;
		if (str_eq(type, "pid") && !*path)
			s->private_pid = true;
		if (str_eq(type, "user")) {
			s->private_user = true;
			s->user_path = *path ? path : NULL;
		}
	}
	return 0;
}

static int read_linux(struct spec *s, struct err *err)
{
	json *lnx, *resources, *memory, *limit;

	if (json_typed(s->document, "linux", json_type_object, &lnx, err) < 0 ||
	    json_text(lnx, "cgroupsPath", "", &s->cgroups_path, err) < 0 ||
	    json_typed(lnx, "seccomp", json_type_object, &s->seccomp, err) < 0 ||
	    json_typed(lnx, "resources", json_type_object, &resources, err) < 0 ||
	    json_typed(resources, "memory", json_type_object, &memory, err) < 0 ||
	    json_typed(memory, "limit", json_type_int, &limit, err) < 0)
		return err_in(err, "linux");
	if (limit && json_object_get_int64(limit) > 0)
		s->memory_max = (uint64_t)json_object_get_int64(limit);
	return read_namespaces(lnx, s, err);
}

/* Nothing but a privileged container is given both. */
static int read_privilege(json *process, struct spec *s, struct arena *arena, struct err *err)
{
	const char *const *bounding;
	json *sets;
	int n = 0;

	if (json_typed(process, "capabilities", json_type_object, &sets, err) < 0 ||
	    json_strings(sets, "bounding", arena, &bounding, err) < 0)
		return err_in(err, "process");
	for (; *bounding; bounding++)
		n += str_eq(*bounding, "CAP_SYS_MODULE") || str_eq(*bounding, "CAP_SYS_RAWIO");
	s->privileged = n > 1;
	return 0;
}

static int read_annotations(struct spec *s, struct err *err)
{
	json *all;

	if (json_typed(s->document, "annotations", json_type_object, &all, err) < 0)
		return -1;
	if (!all)
		return 0;
	json_object_object_foreach(all, key, value) if (
		!json_object_is_type(
			value, json_type_string)) return err_set(err, ERR_INVALID,
								 "annotation \"%.80s\" is not text",
								 key);
	return 0;
}

int spec_read(json *document, struct arena *arena, struct spec *ret, struct err *err)
{
	json *process, *root;

	memset(ret, 0, sizeof(*ret));
	ret->document = document;
	if (!json_object_is_type(document, json_type_object))
		return err_set(err, ERR_INVALID, "config.json is not an object");
	if (json_typed(document, "process", json_type_object, &process, err) < 0 ||
	    spec_process_read(process, arena, &ret->process, err) < 0 ||
	    read_privilege(process, ret, arena, err) < 0 ||
	    json_typed(document, "root", json_type_object, &root, err) < 0 ||
	    json_text(root, "path", "rootfs", &ret->root, err) < 0 ||
	    read_mounts(ret, arena, err) < 0 || read_linux(ret, err) < 0 ||
	    spec_hooks_read(document, arena, &ret->hooks, err) < 0 ||
	    read_annotations(ret, err) < 0)
		return err_in(err, "config.json");
	return 0;
}

const char *spec_annotation(const struct spec *s, const char *key)
{
	json *value = json_member(json_member(s->document, "annotations"), key);

	return value ? json_object_get_string(value) : NULL;
}

const char *spec_sandbox(const struct spec *s)
{
	const char *id = spec_annotation(s, "io.kubernetes.cri.sandbox-id");

	return id ? id : spec_annotation(s, "io.kubernetes.cri-o.SandboxID");
}

bool spec_is_sandbox(const struct spec *s)
{
	const char *type = spec_annotation(s, "io.kubernetes.cri.container-type");

	type = type ? type : spec_annotation(s, "io.kubernetes.cri-o.ContainerType");
	return type && str_eq(type, "sandbox");
}

const char *spec_env(const struct spec_process *p, const char *name)
{
	size_t n = strlen(name);
	const char *value = NULL;

	for (const char *const *e = p->env; e && *e; e++)
		if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
			value = *e + n + 1;
	return value;
}
