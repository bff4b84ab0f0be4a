/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/layer_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"

/* OCI image specification, layer.md, "Whiteouts". */
#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"

/* Files up to this are kept whole, whatever they are; of others so much is their beginning. */
#define SMALL (1 << 20)

#define ENTRIES_MAX 4000000
#define DEPTH_MAX 200
#define INSIDE (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

/* --- places ---------------------------------------------------------------------------------- */

/* Where an entry goes: a directory below the root, open, and a name in it. */
struct place {
	int dir;
	char path[PATH_MAX];
	const char *name; /* in @path */
};

#define PLACE_INIT         \
	{                  \
		.dir = -1, \
	}
static void place_close(struct place *p)
{
	fd_close(&p->dir);
}
#define CLEANUP_PLACE CLEANUP(place_close)

static int open_dir(int root, const char *path)
{
	return fd_openat2(root, *path ? path : ".", O_RDONLY | O_DIRECTORY, 0, INSIDE);
}

static int make_dir(int root, char *path)
{
	char *slash = strrchr(path, '/');
	CLEANUP_FD int parent = -1;

	if (slash)
		*slash = '\0';
	parent = open_dir(root, slash ? path : "");
	if (slash)
		*slash = '/';
	if (slash && !slash[1])
		return 0; /* two slashes in a row */
	return parent < 0 || (mkdirat(parent, slash ? slash + 1 : path, 0755) < 0 &&
			      errno != EEXIST)
		       ? -1
		       : 0;
}

/* Archives need not name the directories that their files are in. */
static int make_dirs(int root, char *path)
{
	for (char *end = path;; end++) {
		char kept;
		int rc;

		end += strcspn(end, "/");
		kept = *end;
		*end = '\0';
		rc = make_dir(root, path);
		*end = kept;
		if (rc < 0 || !kept)
			return rc;
	}
}

/* False for what names no file below the root. */
static bool split(const char *name, struct place *p)
{
	char *slash;
	size_t n;

	while (*name == '/' || str_after(name, "./"))
		name++;
	if (!str_copy(p->path, sizeof(p->path), name))
		return false;
	for (n = strlen(p->path); n && p->path[n - 1] == '/'; n--)
		p->path[n - 1] = '\0';
	slash = strrchr(p->path, '/');
	p->name = slash ? slash + 1 : p->path;
	return *p->name && !str_eq(p->name, ".") && !str_eq(p->name, "..");
}

static int place_open(int root, const char *name, bool make, struct place *p)
{
	char *end = p->path;

	if (!split(name, p)) {
		errno = EINVAL;
		return -1;
	}
	if (p->name > p->path) {
		end = p->path + (p->name - p->path) - 1;
		*end = '\0';
		p->dir = open_dir(root, p->path);
		if (p->dir < 0 && errno == ENOENT && make && make_dirs(root, p->path) == 0)
			p->dir = open_dir(root, p->path);
		return p->dir < 0 ? -1 : 0;
	}
	p->dir = open_dir(root, "");
	return p->dir < 0 ? -1 : 0;
}

/* --- removing -------------------------------------------------------------------------------- */

static int remove_entry(int dir, const char *name, int depth);

static int remove_below(int fd, int depth)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	int rc = 0;

	if (!d) {
		close(fd);
		return -1;
	}
	while (rc == 0 && (e = readdir(d)))
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			rc = remove_entry(dirfd(d), e->d_name, depth);
	closedir(d);
	return rc;
}

static int remove_entry(int dir, const char *name, int depth)
{
	int fd;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (depth == DEPTH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = fd_openat2(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, RESOLVE_BENEATH);
	if (fd < 0 || remove_below(fd, depth + 1) < 0)
		return -1;
	return unlinkat(dir, name, AT_REMOVEDIR);
}

static int whiteout(int root, const char *name, struct err *err)
{
	CLEANUP_PLACE struct place p = PLACE_INIT;
	int rc;

	if (place_open(root, name, false, &p) < 0)
		return 0; /* there is nothing to remove */
	if (str_eq(p.name, OPAQUE))
		rc = remove_below(fd_steal(&p.dir), 0);
	else if (str_after(p.name, WHITEOUT) && p.name[strlen(WHITEOUT)])
		rc = remove_entry(p.dir, p.name + strlen(WHITEOUT), 0);
	else
		return 0;
	return rc < 0 ? err_sys(err, ERR_IO, "%.200s", name) : 0;
}

/* --- adding ---------------------------------------------------------------------------------- */

static bool is_zero(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i])
			return false;
	return true;
}

static bool is_program(const char *bytes, ssize_t n, mode_t mode)
{
	return (n >= 4 && memcmp(bytes, "\177ELF", 4) == 0) ||
	       (n >= 2 && memcmp(bytes, "#!", 2) == 0) || (mode & 0111);
}

/* Holes stay holes. */
static int write_file(int fd, const struct tar_entry *e, struct tar_reader *layer, struct err *err)
{
	char bytes[64u << 10];
	int64_t at = 0;
	bool whole = e->size <= SMALL;
	ssize_t n;

	while ((n = tar_read(layer, bytes, sizeof(bytes), err)) > 0) {
		whole |= !at && is_program(bytes, n, e->mode);
		if (!whole && at)
			break;
		if (!is_zero(bytes, (size_t)n) && pwrite(fd, bytes, (size_t)n, at) != n)
			return err_sys(err, ERR_IO, "write");
		at += n;
	}
	if (n < 0)
		return -1;
	return ftruncate(fd, e->size) < 0 ? err_sys(err, ERR_IO, "size") : 0;
}

static int add_file(const struct place *p, const struct tar_entry *e, struct tar_reader *layer,
		    struct err *err)
{
	CLEANUP_FD int fd = fd_openat2(p->dir, p->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
				       (e->mode & 0777) | 0600, RESOLVE_BENEATH);

	return fd < 0 ? err_sys(err, ERR_IO, "make a file") : write_file(fd, e, layer, err);
}

static int add_link(int root, const struct place *p, const char *other, struct err *err)
{
	CLEANUP_PLACE struct place from = PLACE_INIT;

	if (place_open(root, other, false, &from) < 0 ||
	    linkat(from.dir, from.name, p->dir, p->name, 0) < 0)
		return err_sys(err, ERR_INVALID, "link to %.200s", other);
	return 0;
}

static bool is_dir(const struct place *p)
{
	struct stat st;

	return fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int add_entry(int root, const struct tar_entry *e, struct tar_reader *layer, struct err *err)
{
	CLEANUP_PLACE struct place p = PLACE_INIT;

	if (place_open(root, e->name, true, &p) < 0)
		return errno == EINVAL ? 0 : err_sys(err, ERR_INVALID, "its directory");
	if (str_after(p.name, WHITEOUT))
		return 0;
	if (S_ISDIR(e->mode) && is_dir(&p))
		return 0;
	if (remove_entry(p.dir, p.name, 0) < 0)
		return err_sys(err, ERR_IO, "replace");
	if (e->other)
		return add_link(root, &p, e->other, err);
	if (S_ISDIR(e->mode) && mkdirat(p.dir, p.name, 0755) < 0)
		return err_sys(err, ERR_IO, "make a directory");
	if (S_ISLNK(e->mode) && (!e->link || symlinkat(e->link, p.dir, p.name) < 0))
		return err_sys(err, ERR_INVALID, "make a symbolic link");
	return S_ISREG(e->mode) ? add_file(&p, e, layer, err) : 0;
}

/* --- a layer --------------------------------------------------------------------------------- */

int layer_remove(int root, struct tar_reader *layer, struct err *err)
{
	struct tar_entry e;
	bool more;

	for (size_t i = 0; i < ENTRIES_MAX; i++) {
		if (tar_next(layer, &e, &more, err) < 0)
			return -1;
		if (!more)
			return 0;
		if (strstr(e.name, WHITEOUT) && whiteout(root, e.name, err) < 0)
			return -1;
	}
	return err_set(err, ERR_LIMIT, "more than %d files", ENTRIES_MAX);
}

int layer_add(int root, struct tar_reader *layer, struct err *err)
{
	struct tar_entry e;
	bool more;

	for (size_t i = 0; i < ENTRIES_MAX; i++) {
		if (tar_next(layer, &e, &more, err) < 0)
			return -1;
		if (!more)
			return 0;
		if (add_entry(root, &e, layer, err) < 0)
			return err_in(err, "%.200s", e.name);
	}
	return err_set(err, ERR_LIMIT, "more than %d files", ENTRIES_MAX);
}
