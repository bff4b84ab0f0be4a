/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/plan/dotnet.h"

#include <string.h>

#include "runtime/base/str.h"

static bool is_there(struct rootfs_view *v, const char *path, enum found_kind kind)
{
	CLEANUP_FOUND struct found found = FOUND_INIT;

	view_find(v, "/", path, &found);
	return found.kind == kind;
}

bool dotnet_is(struct rootfs_view *v, const char *where)
{
	const char *slash = strrchr(where, '/');
	char path[PATH_MAX];

	if (slash && str_eq(slash, "/dotnet"))
		return str_fmt(path, sizeof(path), "%.*s/host/fxr", (int)(slash - where), where) &&
		       is_there(v, path, FOUND_DIRECTORY);
	return str_fmt(path, sizeof(path), "%s.runtimeconfig.json", where) &&
	       is_there(v, path, FOUND_FILE) && str_fmt(path, sizeof(path), "%s.dll", where) &&
	       is_there(v, path, FOUND_FILE);
}
