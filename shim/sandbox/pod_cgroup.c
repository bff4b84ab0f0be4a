/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/sandbox/pod_cgroup.h"

#include <fcntl.h>
#include <string.h>

#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "shim/host/cgroup.h"

#define RECORD "crossarch.cgroup"

#define SLICE ".slice"

/* --- where it is ---------------------------------------------------------------------------- */

/* One part of a path, of @n bytes, as path.Clean() of Go takes it. False when it does not fit. */
static bool add_part(char path[PATH_MAX], const char *part, size_t n)
{
	size_t used = strlen(path);
	char *slash;

	if (!n || (n == 1 && part[0] == '.'))
		return true;
	if (n != 2 || memcmp(part, "..", 2) != 0)
		return str_fmt(path + used, PATH_MAX - used, "/%.*s", (int)n, part);
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	return true;
}

/* "" is the root. */
static bool clean(const char *path, char ret[PATH_MAX])
{
	size_t n;

	ret[0] = '\0';
	for (; *path; path += n + (path[n] == '/')) {
		n = strcspn(path, "/");
		if (n >= PATH_MAX || !add_part(ret, path, n))
			return false;
	}
	return true;
}

/* "a-b-c.slice" is /a.slice/a-b.slice/a-b-c.slice (systemd.slice(5)). */
static bool expand(const char *slice, char ret[PATH_MAX])
{
	size_t n = strlen(slice) - strlen(SLICE), used = 0;

	ret[0] = '\0';
	if (str_eq(slice, "-" SLICE))
		return true;
	for (size_t i = 0; i <= n; i++) {
		if (i < n && slice[i] != '-')
			continue;
		if (!i || slice[i - 1] == '-' ||
		    !str_fmt(ret + used, PATH_MAX - used, "/%.*s" SLICE, (int)i, slice))
			return false;
		used += strlen(ret + used);
	}
	return true;
}

int pod_cgroup_path(const char *parent, const char *id, char ret[PATH_MAX], struct err *err)
{
	char plain[PATH_MAX], slices[PATH_MAX];
	const char *name;
	bool fits;

	ret[0] = '\0';
	if (!*parent)
		return 0;
	if (!clean(parent, plain))
		return err_set(err, ERR_INVALID, "path of the parent cgroup too long");
	name = strrchr(plain, '/');
	if (!name || !str_ends(name + 1, SLICE))
		fits = str_fmt(ret, PATH_MAX, "%s/%s", plain, id);
	else if (expand(name + 1, slices))
		fits = str_fmt(ret, PATH_MAX, "%s/cri-containerd-%s.scope", slices, id);
	else
		return err_set(err, ERR_INVALID, "parent cgroup: %.100s is no slice", name + 1);
	return fits ? 0 : err_set(err, ERR_INVALID, "path of the cgroup too long");
}

/* --- making it ------------------------------------------------------------------------------ */

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
