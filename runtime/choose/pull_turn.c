/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/choose/pull_turn.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"

void pull_turn_end(struct pull_turn *turn)
{
	/* The name goes while the lock is held: see is_current(). */
	if (turn->image >= 0)
		(void)unlink(turn->path);
	fd_close(&turn->image);
	fd_close(&turn->slot);
}

/* Whether @path still is the file @fd: who had it before us took the name away at the end. */
static bool is_current(int fd, const char *path)
{
	struct stat ours, named;

	return fstat(fd, &ours) == 0 && stat(path, &named) == 0 && ours.st_ino == named.st_ino;
}

/* The locked file, or -1 with errno, EWOULDBLOCK when another process has it. */
static int try_lock(const char *path)
{
	for (int tries = 0; tries < 100; tries++) {
		CLEANUP_FD int fd =
			open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);

		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
			return -1;
		if (is_current(fd, path))
			return fd_steal(&fd);
	}
	errno = EWOULDBLOCK;
	return -1;
}

static int ask_image(struct pull_turn *turn, const char *digest, struct err *err)
{
	const char *colon = strchr(digest, ':');

	if (turn->image >= 0)
		return 0;
	if (!str_fmt(turn->path, sizeof(turn->path), "%s/%.64s", turn->dir,
		     colon ? colon + 1 : digest))
		return err_set(err, ERR_INVALID, "digest %.80s is too long", digest);
	turn->image = try_lock(turn->path);
	if (turn->image < 0 && errno != EWOULDBLOCK)
		return err_sys(err, ERR_IO, "lock %s", turn->path);
	return 0;
}

static int ask_slot(struct pull_turn *turn, unsigned int at_once, struct err *err)
{
	char path[sizeof(turn->path)];

	for (unsigned int i = 0; i < at_once && turn->slot < 0; i++) {
		if (!str_fmt(path, sizeof(path), "%s/slot-%u", turn->dir, i))
			return err_set(err, ERR_LIMIT, "%s is too long a name", turn->dir);
		turn->slot = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
		if (turn->slot < 0)
			return err_sys(err, ERR_IO, "open %s", path);
		if (flock(turn->slot, LOCK_EX | LOCK_NB) < 0)
			fd_close(&turn->slot);
	}
	return 0;
}

int pull_turn_ask(struct pull_turn *turn, const char *digest, unsigned int at_once, bool *ret_ours,
		  struct err *err)
{
	*ret_ours = false;
	if (dir_make(turn->dir, 0700, err) < 0 || ask_image(turn, digest, err) < 0)
		return -1;
	if (turn->image < 0)
		return 0;
	if (ask_slot(turn, at_once, err) < 0)
		return -1;
	*ret_ours = turn->slot >= 0;
	return 0;
}
