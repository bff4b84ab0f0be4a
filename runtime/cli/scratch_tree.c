/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/scratch_tree.h"

#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/str.h"

/* Directories of one tree that are open at a time. */
#define OPEN_AT_ONCE 64

static bool tree_path(pid_t pid, const char *end, char *ret, size_t size)
{
	const char *tmp = getenv("TMPDIR");

	return str_fmt(ret, size, "%s/crossarch-scan.%d.%s",
		       tmp && *tmp == '/' && strlen(tmp) < 32 ? tmp : "/tmp", (int)pid, end);
}

int scratch_tree_make(struct scratch_tree *t, struct err *err)
{
	if (!tree_path(getpid(), "XXXXXX", t->path, sizeof(t->path)) || !mkdtemp(t->path)) {
		(void)err_sys(err, ERR_IO, "make a temporary directory (%s)", t->path);
		t->path[0] = '\0';
		return -1;
	}
	t->fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return t->fd < 0 ? err_sys(err, ERR_IO, "open %s", t->path) : 0;
}

/* What cannot be removed stays, and so do the directories above it. */
static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	(void)remove(path);
	return 0;
}

static void remove_tree(const char *path)
{
	(void)nftw(path, remove_one, OPEN_AT_ONCE, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

void scratch_tree_remove(struct scratch_tree *t)
{
	fd_close(&t->fd);
	if (t->path[0])
		remove_tree(t->path);
	t->path[0] = '\0';
}

void scratch_tree_sweep(pid_t pid)
{
	char pattern[80];
	glob_t all;

	if (!tree_path(pid, "??????", pattern, sizeof(pattern)) ||
	    glob(pattern, GLOB_NOSORT, NULL, &all) != 0)
		return;
	for (size_t i = 0; i < all.gl_pathc; i++)
		remove_tree(all.gl_pathv[i]);
	globfree(&all);
}
