/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/temporary.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

const char *temporary_place(void)
{
	const char *tmp = getenv("TMPDIR");

	return tmp && *tmp == '/' ? tmp : "/tmp";
}

/* --- directories ----------------------------------------------------------------------------- */

int temporary_make(const char *what, char ret_path[static PATH_MAX], int *ret_fd, struct err *err)
{
	if (!str_fmt(ret_path, PATH_MAX, "%s/crossarch-%s.%d.XXXXXX", temporary_place(), what,
		     (int)getpid()))
		return err_set(err, ERR_LIMIT, "TMPDIR is too long");
	if (!mkdtemp(ret_path))
		return err_sys(err, ERR_IO, "make a temporary directory (%.200s)", ret_path);
	*ret_fd = open(ret_path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret_fd >= 0)
		return 0;
	(void)err_sys(err, ERR_IO, "open %.200s", ret_path);
	(void)rmdir(ret_path);
	return -1;
}

static void sweep_one(const char *name, void (*remove)(const char *path, int fd))
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	if (!str_fmt(path, sizeof(path), "%s/%s", temporary_place(), name))
		return;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid())
		remove(path, fd);
	else
		close(fd);
}

void temporary_sweep(const char *what, pid_t pid, void (*remove)(const char *path, int fd))
{
	DIR *d = opendir(temporary_place());
	char prefix[80];
	struct dirent *e;

	(void)str_fmt(prefix, sizeof(prefix), "crossarch-%s.%d.", what, (int)pid);
	while (d && (e = readdir(d)))
		if (str_after(e->d_name, prefix))
			sweep_one(e->d_name, remove);
	if (d)
		closedir(d);
}

/* --- files ----------------------------------------------------------------------------------- */

int temporary_file(int *ret_fd, struct err *err)
{
	*ret_fd = open(temporary_place(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return *ret_fd < 0
		       ? err_sys(err, ERR_IO, "make a temporary file in %.200s", temporary_place())
		       : 0;
}

/* --- room ------------------------------------------------------------------------------------ */

static int64_t most_of(uint64_t n)
{
	return (int64_t)(n / 10 * 9);
}

int room_of(int fd, struct room *ret, struct err *err)
{
	struct statvfs st;

	if (fstatvfs(fd, &st) < 0)
		return err_sys(err, ERR_IO, "look for free space");
	ret->bytes = most_of(st.f_bavail * st.f_frsize);
	/* Some file systems make room for files as they need it. */
	ret->files = st.f_files ? most_of(st.f_favail) : INT64_MAX;
	return 0;
}

static int no_room(struct err *err)
{
	return err_set(err, ERR_LIMIT,
		       "it holds more than there is room for in %.200s, of which a tenth is left "
		       "free (set TMPDIR to a directory with more room)",
		       temporary_place());
}

int room_take(struct room *room, int64_t n, struct err *err)
{
	if (n > room->bytes)
		return no_room(err);
	room->bytes -= n;
	return 0;
}

int room_take_file(struct room *room, struct err *err)
{
	if (!room->files)
		return no_room(err);
	room->files--;
	return 0;
}
