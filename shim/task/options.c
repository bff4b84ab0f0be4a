/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/options.h"

#include <string.h>

#include "proto/options.pb-c.h"
#include "runtime/base/allocator.h"
#include "runtime/base/str.h"

static int read_runc(const Crossarch__Any *any, ProtobufCAllocator *alloc,
		     struct prepare_request *r, struct err *err)
{
	Crossarch__RuncOptions *o =
		crossarch__runc_options__unpack(alloc, any->value.len, any->value.data);

	if (!o)
		return err_set(err, ERR_INVALID, "runtime options do not decode as %s",
			       any->type_url);
	r->flags |= o->no_pivot_root ? REQUEST_NO_PIVOT : 0;
	r->flags |= o->no_new_keyring ? REQUEST_NO_NEW_KEYRING : 0;
	r->flags |= o->systemd_cgroup ? REQUEST_SYSTEMD_CGROUP : 0;
	r->io_uid = o->io_uid;
	r->io_gid = o->io_gid;
	/* This type has no ConfigPath, and an engine's name does not end so. */
	if (str_ends(o->binary_name, ".json"))
		r->config_path = o->binary_name;
	else
		r->binary_name = o->binary_name;
	r->root = o->root;
	r->shim_cgroup = o->shim_cgroup;
	r->criu_image_path = o->criu_image_path;
	r->criu_work_path = o->criu_work_path;
	return 0;
}

static int read_old(const Crossarch__Any *any, ProtobufCAllocator *alloc, struct prepare_request *r,
		    struct err *err)
{
	Crossarch__OldRuncOptions *o =
		crossarch__old_runc_options__unpack(alloc, any->value.len, any->value.data);

	if (!o)
		return err_set(err, ERR_INVALID, "runtime options do not decode as %s",
			       any->type_url);
	r->flags |= o->no_pivot_root ? REQUEST_NO_PIVOT : 0;
	r->flags |= o->no_new_keyring ? REQUEST_NO_NEW_KEYRING : 0;
	r->io_uid = o->io_uid;
	r->io_gid = o->io_gid;
	r->shim_cgroup = o->shim_cgroup;
	return 0;
}

static int read_generic(const Crossarch__Any *any, ProtobufCAllocator *alloc, struct arena *arena,
			struct prepare_request *r, struct err *err)
{
	Crossarch__RuntimeOptions *o =
		crossarch__runtime_options__unpack(alloc, any->value.len, any->value.data);
	char *body;

	if (!o)
		return err_set(err, ERR_INVALID, "runtime options do not decode as %s",
			       any->type_url);
	body = arena_alloc(arena, o->config_body.len + 1);
	if (!body)
		return err_set(err, ERR_NOMEM, "no memory for the runtime options");
	if (o->config_body.len)
		memcpy(body, o->config_body.data, o->config_body.len);
	if (strlen(body) != o->config_body.len)
		return err_set(err, ERR_INVALID,
			       "ConfigBody of the runtime options holds a NUL byte");
	r->config_path = o->config_path;
	r->config_body = body;
	return 0;
}

static const char *type_of(const Crossarch__Any *options)
{
	const char *name = strrchr(options->type_url, '/');

	return name ? name + 1 : options->type_url;
}

bool options_known(const Crossarch__Any *options)
{
	static const char *const known[] = { "containerd.runc.v1.Options",
					     "runtimeoptions.v1.Options",
					     "containerd.linux.runc.CreateOptions" };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (str_eq(type_of(options), known[i]))
			return true;
	return false;
}

int options_read(const Crossarch__Any *options, struct arena *arena, struct prepare_request *r,
		 struct err *err)
{
	ProtobufCAllocator alloc = arena_allocator(arena);
	const char *name;

	if (!options || !*options->type_url)
		return 0;
	name = type_of(options);
	if (str_eq(name, "containerd.runc.v1.Options"))
		return read_runc(options, &alloc, r, err);
	if (str_eq(name, "runtimeoptions.v1.Options"))
		return read_generic(options, &alloc, arena, r, err);
	if (str_eq(name, "containerd.linux.runc.CreateOptions"))
		return read_old(options, &alloc, r, err);
	return err_set(
		err, ERR_INVALID,
		"runtime options of type %.100s are not known; use runtimeoptions.v1.Options "
		"(ConfigPath) or containerd.runc.v1.Options",
		options->type_url);
}
