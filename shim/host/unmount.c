/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/unmount.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/base/mountinfo.h"
#include "runtime/base/str.h"
#include "runtime/prepare/report.h"

#define BUSY_TRIES 50
#define BUSY_PAUSE_NS 50000000
/* Unmounts in a row that leave as many mounts as before: somebody mounts, or hides one, again. */
#define STUCK_MAX 8
#define OTHER_BOUND_MS 2000

/*
 * The last of the mounts at or below @path: mountinfo lists parents before what is mounted on them,
 * and a later mount covers an earlier one on the same point. Returns how many there are, -1 when
 * the list cannot be read.
 */
static int last_mount(const char *path, char ret[PATH_MAX])
{
	CLEANUP_FILE FILE *file = fopen("/proc/self/mountinfo", "re");
	CLEANUP_FREE char *line = NULL;
	struct mountinfo m;
	size_t size = 0;
	int found = 0;

	if (!file)
		return -1;
	while (file_line(file, &line, &size))
		if (mountinfo_parse(line, &m) && path_below(m.point, path) &&
		    str_copy(ret, PATH_MAX, m.point))
			found++;
	return ferror(file) ? -1 : found;
}

/* EINVAL and ENOENT: somebody else was faster, which is as good. */
static int unmount_one(const char *point)
{
	static const struct timespec pause = { .tv_nsec = BUSY_PAUSE_NS };

	for (int i = 0; i < BUSY_TRIES; i++) {
		if (umount2(point, UMOUNT_NOFOLLOW) == 0 || errno == EINVAL || errno == ENOENT)
			return 0;
		if (errno != EBUSY)
			return -1;
		nanosleep(&pause, NULL);
	}
	return -1;
}

/*
 * As mountinfo writes @path. Only the parent is resolved: looking at the mount itself could hang or
 * fail when what it shows is dead.
 */
static bool resolve(const char *path, char ret[PATH_MAX])
{
	const char *name = strrchr(path, '/');
	char parent[PATH_MAX];

	if (!name || !name[1] || !str_copy(parent, sizeof(parent), path)) {
		errno = EINVAL;
		return false;
	}
	parent[name == path ? 1 : name - path] = '\0';
	if (!realpath(parent, ret))
		return false;
	if (str_eq(ret, "/"))
		*ret = '\0';
	if (strlen(ret) + strlen(name) < PATH_MAX) {
		strcat(ret, name);
		return true;
	}
	errno = ENAMETOOLONG;
	return false;
}

int rootfs_unmount(const char *path)
{
	char real[PATH_MAX], point[PATH_MAX];
	int left, before = 0;

	if (!resolve(path, real))
		return errno == ENOENT || errno == ENOTDIR ? 0 : 1;
	for (int stuck = 0; stuck < STUCK_MAX; before = left) {
		left = last_mount(real, point);
		if (left <= 0)
			return left < 0;
		stuck = left == before ? stuck + 1 : 0;
		if (unmount_one(point) < 0)
			return 1;
	}
	return 1;
}

/* The root last: its layers are in the way of nothing but the bundle's removal. */
int bundle_unmount(void *bundle)
{
	CLEANUP_FD int lock = open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char rootfs[PATH_MAX], layers[PATH_MAX];
	int left = 0;

	if (lock >= 0 && fd_lock(lock, OTHER_BOUND_MS) < 0)
		return 1;
	if (!str_fmt(rootfs, sizeof(rootfs), "%s/rootfs", (const char *)bundle) ||
	    !str_fmt(layers, sizeof(layers), "%s/" LAYERS_DIR, (const char *)bundle))
		return 1;
	if (access(layers, F_OK) == 0)
		left = rootfs_unmount(layers);
	return rootfs_unmount(rootfs) || left;
}

static bool is_mounted(const char *bundle, const char *name)
{
	char path[PATH_MAX], real[PATH_MAX], point[PATH_MAX];

	if (!str_fmt(path, sizeof(path), "%s/%s", bundle, name))
		return true;
	if (!resolve(path, real))
		return errno != ENOENT && errno != ENOTDIR;
	return last_mount(real, point) != 0;
}

bool bundle_is_mounted(const char *bundle)
{
	char layers[PATH_MAX];

	return is_mounted(bundle, "rootfs") ||
	       (str_fmt(layers, sizeof(layers), "%s/" LAYERS_DIR, bundle) &&
		access(layers, F_OK) == 0 && is_mounted(bundle, LAYERS_DIR));
}
