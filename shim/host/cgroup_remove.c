/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a cgroup that its engine did not remove, and whose it was. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/mountinfo.h"
#include "runtime/base/str.h"
#include "shim/host/cgroup_walk.h"

#define USUAL_MOUNT "/sys/fs/cgroup"
/* Over all hierarchies: a process is in many and dies in all of them at once. */
#define BUSY_TRIES 20
#define BUSY_PAUSE_NS 25000000

static bool is_plain(const char *path)
{
	const char *name = strrchr(path, '/');

	return path[0] == '/' && name[1] && !strstr(path, "/..") && !strstr(path, "//");
}

/* --- whose it is -------------------------------------------------------------------------- */

bool cgroup_is_of(const char *path, const char *id, bool systemd)
{
	size_t n = strlen(id), scope = strlen(".scope"), len;
	const char *name;

	if (!is_plain(path) || str_ends(path, ".slice"))
		return false;
	name = strrchr(path, '/') + 1;
	if (str_eq(name, id))
		return true;
	len = strlen(name);
	return systemd && str_ends(name, ".scope") && len > n + scope &&
	       name[len - scope - n - 1] == '-' && strncmp(name + len - scope - n, id, n) == 0;
}

static bool has_process(int top)
{
	CLEANUP_BUF struct buf paths = BUF_INIT(CGROUP_PATHS_MAX);
	CLEANUP_BUF struct buf pids = BUF_INIT(CGROUP_PIDS_MAX);
	struct err err;

	return cgroup_walk(top, &pids, &paths, &err) < 0 || pids.len;
}

/* @mount is the name of a hierarchy below @root. */
static bool in_use_at(int root, const char *mount, const char *path)
{
	char below[PATH_MAX];
	CLEANUP_FD int dir = -1;

	if (!str_fmt(below, sizeof(below), "%s%s", mount, path))
		return true;
	dir = openat(root, below, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir >= 0 && has_process(dir);
}

bool cgroup_in_use(const char *path)
{
	DIR *root = is_plain(path) ? opendir(USUAL_MOUNT) : NULL;
	const struct dirent *d;
	bool used;

	if (!root)
		return false;
	used = cgroup_host_is_v2() && in_use_at(dirfd(root), ".", path);
	while (!used && !cgroup_host_is_v2() && (d = readdir(root)))
		used = d->d_name[0] != '.' && in_use_at(dirfd(root), d->d_name, path);
	closedir(root);
	return used;
}

/* --- removing ----------------------------------------------------------------------------- */

/* As long as nothing runs in it that is all there is to do. False: something does. */
static bool remove_dirs(int top, const char *dir, const struct buf *paths)
{
	const char *first = (const char *)paths->data;
	bool gone = true;

	/* From the last one back: what is inside comes behind. */
	for (const char *end = first + paths->len, *p; end > first; end = p) {
		for (p = end - 1; p > first && p[-1]; p--)
			;
		if (*p && unlinkat(top, p + 1, AT_REMOVEDIR) < 0 && errno == EBUSY)
			gone = false;
	}
	return (rmdir(dir) == 0 || errno != EBUSY) && gone;
}

static void kill_all(const struct buf *pids)
{
	const pid_t *pid = (const pid_t *)(const void *)pids->data;

	for (size_t i = 0; i < pids->len / sizeof(*pid); i++)
		if (pid[i] > 1 && pid[i] != getpid() && pid[i] != getppid())
			kill(pid[i], SIGKILL);
}

static bool remove_own(const char *dir)
{
	CLEANUP_FD int top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_BUF struct buf paths = BUF_INIT(CGROUP_PATHS_MAX);
	CLEANUP_BUF struct buf pids = BUF_INIT(CGROUP_PIDS_MAX);
	struct err err;

	if (top < 0 || cgroup_walk(top, &pids, &paths, &err) < 0)
		return true;
	kill_all(&pids);
	return remove_dirs(top, dir, &paths);
}

static void remove_one(const char *mount, const char *below, bool own, int *tries)
{
	static const struct timespec pause = { .tv_nsec = BUSY_PAUSE_NS };
	char dir[PATH_MAX];

	if (!str_fmt(dir, sizeof(dir), "%s%s", mount, below))
		return;
	if (rmdir(dir) == 0 || errno != EBUSY || !own)
		return;
	while (!remove_own(dir) && --*tries > 0)
		nanosleep(&pause, NULL);
}

void cgroup_remove(const char *path, bool own)
{
	CLEANUP_FILE FILE *file = NULL;
	CLEANUP_FREE char *line = NULL;
	int tries = BUSY_TRIES;
	struct mountinfo m;
	size_t size = 0;

	if (!is_plain(path) || (!own && cgroup_in_use(path)))
		return;
	file = fopen("/proc/self/mountinfo", "re");
	while (file && file_line(file, &line, &size))
		if (mountinfo_parse(line, &m) && str_after(m.type, "cgroup") &&
		    path_below(path, m.root))
			remove_one(m.point, path_below(path, m.root), own, &tries);
}
