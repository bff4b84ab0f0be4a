/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"

void whole_file_deinit(struct whole_file *f)
{
	fd_close(&f->dirfd);
}

/* The path without symbolic links where the file is there already, else @path itself. */
static int resolve(const char *path, char ret[PATH_MAX], struct err *err)
{
	struct stat st;

	if (!*path || !str_copy(ret, PATH_MAX, path))
		return err_set(err, ERR_INVALID, "no file can be called \"%.100s\"", path);
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(err, ERR_IO, "%s", path);
	if (stat(path, &st) < 0 && errno == ENOENT)
		return err_set(err, ERR_INVALID, "%s is a symbolic link to nothing", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "%s is %s; name a file, or - for standard output",
			       path, S_ISDIR(st.st_mode) ? "a directory" : "no ordinary file");
	if (!realpath(path, ret))
		return err_sys(err, ERR_IO, "%s", path);
	return 0;
}

int whole_file_open(const char *path, struct whole_file *ret, struct err *err)
{
	char place[PATH_MAX];
	char *slash;

	if (str_eq(path, "-"))
		return 0;
	if (resolve(path, place, err) < 0)
		return -1;
	slash = strrchr(place, '/');
	if (!str_copy(ret->name, sizeof(ret->name), slash ? slash + 1 : place) || !ret->name[0])
		return err_set(err, ERR_INVALID, "%.200s is no name of a file", path);
	if (slash)
		slash[slash == place] = '\0';
	ret->dirfd = open(slash ? place : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->dirfd < 0)
		return err_sys(err, ERR_IO, "%s", slash ? place : ".");
	return 0;
}

int whole_file_write(const struct whole_file *f, const struct buf *text, struct err *err)
{
	if (f->dirfd >= 0)
		return file_replace(f->dirfd, f->name, 0666, text->data, text->len, err);
	if (fwrite(text->data, 1, text->len, stdout) != text->len || fflush(stdout) == EOF)
		return err_sys(err, ERR_IO, "write to standard output");
	return 0;
}
