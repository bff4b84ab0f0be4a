/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/sandbox/pod_cgroup.h"

#include <fcntl.h>
#include <string.h>

#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "shim/host/cgroup.h"

#define RECORD "crossarch.cgroup"

/* "a-b-c.slice" is /a.slice/a-b.slice/a-b-c.slice (systemd.slice(5)). */
static bool expand(const char *slice, char ret[PATH_MAX])
{
	size_t used = 0, n;

	ret[0] = '\0';
	for (const char *dash = strchr(slice, '-'); dash; dash = strchr(dash + 1, '-')) {
		if (dash == slice)
			continue;
		if (!str_fmt(ret + used, PATH_MAX - used, "/%.*s.slice", (int)(dash - slice),
			     slice))
			return false;
		used += strlen(ret + used);
	}
	n = strlen(slice);
	return str_eq(slice, "-.slice") ||
	       str_fmt(ret + used, PATH_MAX - used, "/%.*s", (int)n, slice);
}

bool pod_cgroup_path(const char *parent, const char *id, char ret[PATH_MAX])
{
	const char *name = strrchr(parent, '/');
	char slices[PATH_MAX];

	name = name ? name + 1 : parent;
	if (!*parent)
		return str_copy(ret, PATH_MAX, "");
	if (!str_ends(name, ".slice"))
		return str_fmt(ret, PATH_MAX, "%s%s/%s", *parent == '/' ? "" : "/", parent, id);
	return expand(name, slices) &&
	       str_fmt(ret, PATH_MAX, "%s/cri-containerd-%s.scope", slices, id);
}

int pod_cgroup_join(const char *bundle, const char *path, pid_t pid, struct err *err)
{
	char record[PATH_MAX];

	if (!str_fmt(record, sizeof(record), "%s/" RECORD, bundle))
		return err_set(err, ERR_INVALID, "bundle path too long");
	if (file_replace(AT_FDCWD, record, 0600, path, strlen(path), err) < 0 ||
	    cgroup_make(path, err) < 0)
		return -1;
	return cgroup_join(path, pid, err);
}

void pod_cgroup_remove(const char *bundle)
{
	struct buf CLEANUP_BUF path = BUF_INIT(PATH_MAX);
	char record[PATH_MAX];
	struct err err;

	if (str_fmt(record, sizeof(record), "%s/" RECORD, bundle) &&
	    file_read(AT_FDCWD, record, &path, &err) == 0)
		cgroup_remove(buf_str(&path), true);
}
