/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/scratch_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/cli/temporary.h"

#define WHAT "scan"

/* Directories below each other that are open at a time. */
#define OPEN_AT_ONCE 64

int scratch_tree_make(struct scratch_tree *t, struct err *err)
{
	if (temporary_make(WHAT, t->path, &t->fd, err) == 0)
		return 0;
	t->path[0] = '\0';
	return -1;
}

/* --- removing -------------------------------------------------------------------------------- */

struct removal {
	int top;
	unsigned int moved; /* directories that were moved up there */
	bool again;	    /* something is there that was not seen */
};

/* What lies too deep for the descriptors we have goes to the top, to be removed from there. */
static void move_up(struct removal *r, int dir, const char *name)
{
	char there[32];
	int rc;

	do {
		(void)str_fmt(there, sizeof(there), "deep.%u", r->moved++);
		rc = renameat2(dir, name, r->top, there, RENAME_NOREPLACE);
	} while (rc < 0 && errno == EEXIST);
	r->again |= rc == 0;
}

static void remove_below(struct removal *r, int dir, int depth);

static void remove_entry(struct removal *r, int dir, const char *name, int depth)
{
	CLEANUP_FD int fd = -1;

	if (unlinkat(dir, name, 0) == 0)
		return;
	if (depth == OPEN_AT_ONCE) {
		move_up(r, dir, name);
		return;
	}
	fd = fd_openat2(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
			RESOLVE_BENEATH | RESOLVE_NO_XDEV);
	if (fd >= 0)
		remove_below(r, fd_steal(&fd), depth + 1);
	(void)unlinkat(dir, name, AT_REMOVEDIR);
}

/* Takes @dir. What cannot be removed stays, and so do the directories above it. */
static void remove_below(struct removal *r, int dir, int depth)
{
	DIR *d = fdopendir(dir);
	struct dirent *e;

	if (!d) {
		close(dir);
		return;
	}
	while ((e = readdir(d)))
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			remove_entry(r, dirfd(d), e->d_name, depth);
	closedir(d);
}

/* Takes @fd. */
static void remove_tree(const char *path, int fd)
{
	CLEANUP_FD int top = fd;
	struct removal r = { .top = top };

	do {
		r.again = false;
		remove_below(&r, openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0);
	} while (r.again);
	(void)rmdir(path);
}

void scratch_tree_remove(struct scratch_tree *t)
{
	if (t->path[0])
		remove_tree(t->path, fd_steal(&t->fd));
	t->path[0] = '\0';
}

void scratch_tree_sweep(pid_t pid)
{
	temporary_sweep(WHAT, pid, remove_tree);
}
