/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/private_emulators.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/prepare/report.h"

/* `delete` has a few seconds for all it does; what this one leaves, the next `start` sweeps. */
#define RELEASE_BOUND_MS 200

/* Whose notes are to be removed. */
struct gone {
	const char *name; /* container id; NULL: everybody whose bundle is missing */
	struct stat bundle;
};

bool private_emulators_any(void)
{
	struct stat st;

	/* Where subdirectories count as links, 2 says that there are none. */
	return stat(PRIVATE_DIR, &st) == 0 && st.st_nlink != 2;
}

/* -1 without a directory, or when its lock cannot be had; holds that as long as it is open. */
static int lock(unsigned int bound_ms)
{
	CLEANUP_FD int fd = open(PRIVATE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fd_lock(fd, bound_ms) < 0 ? -1 : fd_steal(&fd);
}

/* A note leads to the bundle, so it can be asked about that. */
static bool is_stale(int pod, const char *note, const struct gone *g)
{
	struct stat st;

	if (fstatat(pod, note, &st, 0) < 0)
		return errno == ENOENT || errno == ENOTDIR;
	return g->name && str_eq(note, g->name) && st.st_dev == g->bundle.st_dev &&
	       st.st_ino == g->bundle.st_ino;
}

/* Removes stale notes; returns how many stay. A pod just being made has a directory and a note. */
static size_t clear_notes(int pod, const struct gone *g)
{
	int fd = openat(pod, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;
	size_t left = 0;

	if (!dir) {
		fd_close(&fd);
		return 1;
	}
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.' || str_eq(d->d_name, PRIVATE_MOUNT))
			continue;
		if (!is_stale(pod, d->d_name, g) || unlinkat(pod, d->d_name, 0) < 0)
			left++;
	}
	closedir(dir);
	return left;
}

/* Detached, for an operator may be looking inside; the handlers go with the last who does. */
static void remove_instance(int dir, int pod, const char *name)
{
	char path[PATH_MAX];

	(void)str_fmt(path, sizeof(path), PRIVATE_DIR "/%s/" PRIVATE_MOUNT, name);
	while (umount2(path, UMOUNT_NOFOLLOW | MNT_DETACH) == 0)
		;
	if ((unlinkat(pod, PRIVATE_MOUNT, AT_REMOVEDIR) < 0 && errno != ENOENT) ||
	    unlinkat(dir, name, AT_REMOVEDIR) < 0)
		log_write(LOG_WARNING, LOG_NOTHING, LOG_FIELDS(.error = strerror(errno)),
			  PRIVATE_DIR "/%s stays", name);
}

static void clear(const struct gone *g, unsigned int bound_ms)
{
	CLEANUP_FD int lock_fd = lock(bound_ms);
	DIR *dir = lock_fd < 0 ? NULL : opendir(PRIVATE_DIR);
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		CLEANUP_FD int pod = -1;

		if (d->d_name[0] < '0' || d->d_name[0] > '9')
			continue;
		pod = openat(lock_fd, d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (pod >= 0 && !clear_notes(pod, g))
			remove_instance(lock_fd, pod, d->d_name);
	}
	if (dir)
		closedir(dir);
}

void private_emulators_release(const char *bundle)
{
	const char *slash = strrchr(bundle, '/');
	struct gone g = { .name = slash ? slash + 1 : bundle };

	if (private_emulators_any() && stat(bundle, &g.bundle) == 0)
		clear(&g, RELEASE_BOUND_MS);
}

void private_emulators_sweep(void)
{
	struct gone g = { .name = NULL };

	if (private_emulators_any())
		clear(&g, 0);
}
