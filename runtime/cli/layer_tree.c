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

/* Files up to this are kept whole, whatever they are; of others the first piece that is read. */
#define SMALL (1 << 20)
#define PIECE (64u << 10)

#define ENTRIES_MAX 4000000
#define DEPTH_MAX 200

/* What files and directories take on the disk comes in such blocks. */
#define BLOCK 4096
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

/* With a place on the disk for it. */
static int make_below(int parent, const char *name, struct room *room)
{
	struct err full;

	if (mkdirat(parent, name, 0755) < 0)
		return errno == EEXIST ? 0 : -1;
	if (room_take_file(room, &full) == 0 && room_take(room, BLOCK, &full) == 0)
		return 0;
	errno = ENOSPC;
	return -1;
}

static int make_dir(int root, char *path, struct room *room)
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
	return parent < 0 ? -1 : make_below(parent, slash ? slash + 1 : path, room);
}

/* Archives need not name the directories that their files are in. */
static int make_dirs(int root, char *path, struct room *room)
{
	for (char *end = path;; end++) {
		char kept;
		int rc;

		end += strcspn(end, "/");
		kept = *end;
		*end = '\0';
		rc = make_dir(root, path, room);
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

/* Without @room for them no directories are made. */
static int place_open(int root, const char *name, struct room *room, struct place *p)
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
		if (p->dir < 0 && errno == ENOENT && room && make_dirs(root, p->path, room) == 0)
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

	if (place_open(root, name, NULL, &p) < 0)
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

/* One pass through a layer; @room is for what is added. */
struct layer_walk {
	int root;
	struct tar_reader *layer;
	struct room *room;
};

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
static int write_piece(const struct layer_walk *x, int fd, const char *bytes, size_t n, int64_t at,
		       struct err *err)
{
	ssize_t done;

	if (is_zero(bytes, n))
		return 0;
	if (room_take(x->room, ((int64_t)n + BLOCK - 1) / BLOCK * BLOCK, err) < 0)
		return -1;
	for (; n; bytes += done, n -= (size_t)done, at += done) {
		done = pwrite(fd, bytes, n, at);
		if (done < 0)
			return err_sys(err, ERR_IO, "write");
	}
	return 0;
}

static int write_file(const struct layer_walk *x, int fd, const struct tar_entry *e,
		      struct err *err)
{
	char bytes[PIECE];
	int64_t at = 0;
	bool whole = e->size <= SMALL;
	ssize_t n;

	while ((n = tar_read(x->layer, bytes, sizeof(bytes), err)) > 0) {
		whole |= !at && is_program(bytes, n, e->mode);
		if (!whole && at)
			break;
		if (write_piece(x, fd, bytes, (size_t)n, at, err) < 0)
			return -1;
		at += n;
	}
	if (n < 0)
		return -1;
	return ftruncate(fd, e->size) < 0 ? err_sys(err, ERR_IO, "size") : 0;
}

static int add_file(const struct layer_walk *x, const struct place *p, const struct tar_entry *e,
		    struct err *err)
{
	CLEANUP_FD int fd = fd_openat2(p->dir, p->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
				       (e->mode & 0777) | 0600, RESOLVE_BENEATH);

	return fd < 0 ? err_sys(err, ERR_IO, "make a file") : write_file(x, fd, e, err);
}

static int add_link(int root, const struct place *p, const char *other, struct err *err)
{
	CLEANUP_PLACE struct place from = PLACE_INIT;

	if (place_open(root, other, NULL, &from) < 0 ||
	    linkat(from.dir, from.name, p->dir, p->name, 0) < 0)
		return err_sys(err, ERR_INVALID, "link to %.200s", other);
	return 0;
}

static bool is_dir(const struct place *p)
{
	struct stat st;

	return fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static bool is_too_deep(const char *name)
{
	int n = 0;

	for (; *name; name++)
		n += *name == '/';
	return n > DEPTH_MAX;
}

static int make_entry(const struct layer_walk *x, const struct place *p, const struct tar_entry *e,
		      struct err *err)
{
	if (remove_entry(p->dir, p->name, 0) < 0)
		return err_sys(err, ERR_IO, "replace");
	if (e->other)
		return add_link(x->root, p, e->other, err);
	if (!S_ISDIR(e->mode) && room_take_file(x->room, err) < 0)
		return -1;
	if (S_ISDIR(e->mode) && make_below(p->dir, p->name, x->room) < 0)
		return err_sys(err, ERR_IO, "make a directory");
	if (S_ISLNK(e->mode) && (!e->link || symlinkat(e->link, p->dir, p->name) < 0))
		return err_sys(err, ERR_INVALID, "make a symbolic link");
	return S_ISREG(e->mode) ? add_file(x, p, e, err) : 0;
}

static int add_entry(const struct layer_walk *x, const struct tar_entry *e, struct err *err)
{
	CLEANUP_PLACE struct place p = PLACE_INIT;

	if (is_too_deep(e->name))
		return err_set(err, ERR_LIMIT, "more than %d directories deep", DEPTH_MAX);
	if (place_open(x->root, e->name, x->room, &p) < 0)
		return errno == EINVAL ? 0 : err_sys(err, ERR_INVALID, "its directory");
	if (str_after(p.name, WHITEOUT) || (S_ISDIR(e->mode) && is_dir(&p)))
		return 0;
	return make_entry(x, &p, e, err);
}

/* --- a layer --------------------------------------------------------------------------------- */

typedef int entry_visitor(const struct layer_walk *, const struct tar_entry *, struct err *);

static int each_entry(const struct layer_walk *x, entry_visitor *visit, struct err *err)
{
	struct tar_entry e;
	bool more;

	for (size_t i = 0; i < ENTRIES_MAX; i++) {
		if (tar_next(x->layer, &e, &more, err) < 0)
			return -1;
		if (!more)
			return 0;
		if (visit(x, &e, err) < 0)
			return err_in(err, "%.200s", e.name);
	}
	return err_set(err, ERR_LIMIT, "more than %d files", ENTRIES_MAX);
}

static int take_whiteout(const struct layer_walk *x, const struct tar_entry *e, struct err *err)
{
	return strstr(e->name, WHITEOUT) ? whiteout(x->root, e->name, err) : 0;
}

int layer_remove(int root, struct tar_reader *layer, struct err *err)
{
	return each_entry(&(struct layer_walk){ .root = root, .layer = layer }, take_whiteout, err);
}

int layer_add(int root, struct tar_reader *layer, struct room *room, struct err *err)
{
	return each_entry(&(struct layer_walk){ root, layer, room }, add_entry, err);
}
