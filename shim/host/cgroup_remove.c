/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "shim/host/cgroup.h"
#include "shim/host/mountinfo.h"

#define BUSY_TRIES 20
#define BUSY_PAUSE_NS 25000000

static void kill_members(const char *dir)
{
	CLEANUP_FILE FILE *file = NULL;
	char path[PATH_MAX];
	int pid;

	if (str_fmt(path, sizeof(path), "%s/cgroup.procs", dir))
		file = fopen(path, "re");
	while (file && fscanf(file, "%d", &pid) == 1)
		if (pid > 1 && pid != getpid() && pid != getppid())
			kill(pid, SIGKILL);
}

static void remove_one(const char *mount, const char *below, bool ours)
{
	static const struct timespec pause = { .tv_nsec = BUSY_PAUSE_NS };
	char path[PATH_MAX];

	if (!str_fmt(path, sizeof(path), "%s%s", mount, below))
		return;
	for (int i = 0; i < BUSY_TRIES && rmdir(path) < 0 && errno == EBUSY; i++) {
		if (!ours)
			return;
		kill_members(path);
		nanosleep(&pause, NULL);
	}
}

void cgroup_remove(const char *path, const char *owner)
{
	const char *name = strrchr(path, '/');
	CLEANUP_FILE FILE *file = NULL;
	CLEANUP_FREE char *line = NULL;
	struct mountinfo m;
	size_t size = 0;

	if (path[0] != '/' || !name[1] || strstr(path, "/..") || strstr(path, "//"))
		return;
	file = fopen("/proc/self/mountinfo", "re");
	while (file && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (mountinfo_parse(line, &m) && str_after(m.type, "cgroup") &&
		    path_below(path, m.root))
			remove_one(m.point, path_below(path, m.root), strstr(name, owner));
	}
}
