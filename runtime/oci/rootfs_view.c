/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/oci/rootfs_view.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"

#define LINKS_MAX 40 /* as the kernel's MAXSYMLINKS */
#define INSIDE (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

void view_deinit(struct rootfs_view *v)
{
	for (size_t i = 0; i < v->n; i++) {
		fd_close(&v->mounts[i].fd);
		free(v->mounts[i].path);
	}
	free(v->mounts);
	fd_close(&v->root);
	*v = (struct rootfs_view)VIEW_INIT;
}

void view_init(struct rootfs_view *v, int root_take)
{
	*v = (struct rootfs_view)VIEW_INIT;
	v->root = root_take;
}

void found_deinit(struct found *f)
{
	fd_close(&f->fd);
}

/* The state of one walk: `done` is free of links and "" for the root, `rest` is still to go. */
struct walk {
	char done[PATH_MAX], rest[2 * PATH_MAX];
	unsigned int links;
};

/*
 * The mount that covers @path, and what is left of the path below it. Each was mounted over what
 * was there before: the last one on the way counts, and hides all earlier ones below its place.
 */
static const struct rootfs_view_mount *mount_of(const struct rootfs_view *v, const char *path,
						const char **ret_below)
{
	for (size_t i = v->n; i > 0; i--) {
		const struct rootfs_view_mount *m = &v->mounts[i - 1];
		/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): none is added without */
		size_t n = strlen(m->path);

		if (strncmp(path, m->path, n) != 0 || (path[n] && path[n] != '/'))
			continue;
		*ret_below = path + n + (path[n] == '/');
		return m;
	}
	*ret_below = path + (*path == '/');
	return NULL;
}

/* Moves the next component from `rest` to `done`. False when `rest` is used up. */
static bool step(struct walk *w, bool *ret_overflow)
{
	char *p = w->rest + strspn(w->rest, "/");
	size_t n = strcspn(p, "/"), at = strlen(w->done);

	*ret_overflow = false;
	if (!n)
		return false;
	if (n == 2 && p[0] == '.' && p[1] == '.') {
		char *slash = strrchr(w->done, '/');

		if (slash)
			*slash = '\0';
	} else if (n > 1 || p[0] != '.') {
		if (at + 1 + n >= sizeof(w->done)) {
			*ret_overflow = true;
			return true;
		}
		w->done[at] = '/';
		memcpy(w->done + at + 1, p, n);
		w->done[at + 1 + n] = '\0';
	}
	memmove(w->rest, p + n, strlen(p + n) + 1);
	return true;
}

/* Replaces the last component, a symbolic link, by what it points to. */
static enum found_kind follow(struct walk *w, int link_fd)
{
	char target[PATH_MAX], rest[2 * PATH_MAX];
	ssize_t n = readlinkat(link_fd, "", target, sizeof(target) - 1);

	if (++w->links > LINKS_MAX)
		return FOUND_LOOP;
	if (n <= 0)
		return FOUND_MISSING;
	target[n] = '\0';
	if (!str_fmt(rest, sizeof(rest), "%s%s", target, w->rest))
		return FOUND_MISSING;
	memcpy(w->rest, rest, strlen(rest) + 1);
	*strrchr(w->done, '/') = '\0';
	if (target[0] == '/')
		w->done[0] = '\0';
	return FOUND_FILE;
}

static enum found_kind kind_of_errno(void)
{
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
		return FOUND_MISSING;
	case ELOOP:
		return FOUND_LOOP;
	default:
		return FOUND_UNKNOWN;
	}
}

/* Opens `done` without following a link in its last component. -1 with the kind in @ret_kind. */
static int open_done(const struct rootfs_view *v, const struct walk *w, uint64_t flags,
		     const struct rootfs_view_mount **ret_mount, enum found_kind *ret_kind)
{
	const char *below;
	const struct rootfs_view_mount *m = mount_of(v, w->done, &below);
	int base = m ? m->fd : v->root, fd;

	*ret_mount = m;
	*ret_kind = FOUND_UNKNOWN;
	if (base < 0)
		return -1;
	if (m && m->file && *below) {
		*ret_kind = FOUND_MISSING;
		return -1;
	}
	if (m && m->file)
		fd = fcntl(base, F_DUPFD_CLOEXEC, 0);
	else
		fd = fd_openat2(base, *below ? below : ".", flags | O_NOFOLLOW, 0,
				INSIDE | (m && !m->recursive ? RESOLVE_NO_XDEV : 0));
	if (fd < 0)
		*ret_kind = kind_of_errno();
	return fd;
}

/* True for a directory that only has to exist because a mount is placed somewhere below it. */
static bool leads_to_mount(const struct rootfs_view *v, const char *path)
{
	size_t n = strlen(path);

	for (size_t i = 0; i < v->n; i++)
		if (strncmp(v->mounts[i].path, path, n) == 0 && v->mounts[i].path[n] == '/')
			return true;
	return false;
}

/*
 * Counts one more component; the kernel walks to a deep one anew each time. False when that was too
 * much, and from then on.
 */
static bool spend(struct rootfs_view *v, const struct walk *w)
{
	unsigned int cost = 1 + (unsigned int)strlen(w->done) / 64;

	v->effort = cost < ROOTFS_VIEW_EFFORT_MAX - v->effort ? v->effort + cost
							      : ROOTFS_VIEW_EFFORT_MAX;
	return v->effort < ROOTFS_VIEW_EFFORT_MAX;
}

/* Walks all of `rest`. Gives an O_PATH descriptor of what is there, or -1 and why not. */
static int walk(struct rootfs_view *v, struct walk *w, const struct rootfs_view_mount **ret_mount,
		struct stat *st, enum found_kind *ret_kind)
{
	CLEANUP_FD int fd = open_done(v, w, O_PATH, ret_mount, ret_kind);
	bool overflow;

	if (fd < 0 || fstat(fd, st) < 0)
		return -1;
	while (step(w, &overflow)) {
		fd_close(&fd);
		*ret_kind = FOUND_MISSING;
		if (overflow)
			return -1;
		*ret_kind = FOUND_UNKNOWN;
		if (!spend(v, w))
			return -1;
		fd = open_done(v, w, O_PATH, ret_mount, ret_kind);
		/* The engine makes it, even in a file system that begins empty. */
		if (fd < 0 && leads_to_mount(v, w->done) &&
		    (*ret_kind == FOUND_MISSING || (*ret_mount && (*ret_mount)->fresh))) {
			*ret_kind = FOUND_DIRECTORY;
			continue;
		}
		if (fd < 0)
			return -1;
		*ret_kind = FOUND_UNKNOWN;
		if (fstat(fd, st) < 0)
			return -1;
		if (!S_ISLNK(st->st_mode) && !S_ISDIR(st->st_mode) && w->rest[0]) {
			*ret_kind = FOUND_MISSING; /* ENOTDIR, even for a slash at the end */
			return -1;
		}
		if (!S_ISLNK(st->st_mode))
			continue;
		*ret_kind = follow(w, fd);
		if (*ret_kind != FOUND_FILE)
			return -1;
	}
	return fd_steal(&fd);
}

/* Opens the regular file that was found for reading, if it is still that one. */
static void reopen(const struct rootfs_view *v, const struct walk *w, const struct stat *before,
		   struct found *ret)
{
	const struct rootfs_view_mount *mount;
	enum found_kind kind;
	CLEANUP_FD int fd = open_done(v, w, O_RDONLY | O_NONBLOCK | O_NOCTTY, &mount, &kind);
	struct stat now;

	if (fd < 0 || fstat(fd, &now) < 0 || now.st_dev != before->st_dev ||
	    now.st_ino != before->st_ino || !S_ISREG(now.st_mode))
		return;
	ret->kind = FOUND_FILE;
	ret->size = (uint64_t)now.st_size;
	ret->fd = fd_steal(&fd);
}

static bool on_noexec(int fd, const struct rootfs_view_mount *m)
{
	struct statvfs vfs;

	if (m)
		return m->noexec;
	return fstatvfs(fd, &vfs) == 0 && (vfs.f_flag & ST_NOEXEC);
}

static void set_rest(struct walk *w, const char *cwd, const char *path)
{
	w->done[0] = '\0';
	w->links = 0;
	if (!str_fmt(w->rest, sizeof(w->rest), "%s/%s", *path == '/' ? "" : cwd, path))
		w->rest[0] = '\0';
}

void view_find(struct rootfs_view *v, const char *cwd, const char *path, struct found *ret)
{
	CLEANUP_FD int fd = -1;
	struct walk w;
	struct stat st;

	memset(ret, 0, sizeof(*ret));
	ret->fd = -1;
	ret->kind = FOUND_MISSING;
	if (!*path || strlen(path) >= PATH_MAX || strlen(cwd) >= PATH_MAX)
		return;
	set_rest(&w, cwd, path);
	fd = walk(v, &w, &ret->mount, &st, &ret->kind);
	memcpy(ret->path, w.done, strlen(w.done) + 1);
	if (fd < 0)
		return;
	ret->mode = st.st_mode;
	ret->noexec = on_noexec(fd, ret->mount);
	ret->kind = FOUND_UNKNOWN;
	if (S_ISDIR(st.st_mode))
		ret->kind = FOUND_DIRECTORY;
	else if (!S_ISREG(st.st_mode))
		ret->kind = FOUND_SPECIAL;
	else
		reopen(v, &w, &st, ret);
}

static bool has_option(const struct spec_mount *m, const char *word)
{
	for (const char *const *o = m->options; o && *o; o++)
		if (str_eq(*o, word))
			return true;
	return false;
}

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (str_eq(word, *list))
			return true;
	return false;
}

/*
 * Whether nothing runs from a bind mount. The last of the words counts, as in mount(8). Without
 * one, the mount is like its source's, unless other flags have the engines mount it again: which of
 * the source's they keep then differs, and in doubt programs run.
 */
static bool is_noexec(const struct spec_mount *m, int fd)
{
	static const char *const no[] = { "noexec", "rnoexec", NULL }, *const yes[] = { "exec",
											"rexec",
											NULL };
	static const char *const kept[] = { "bind",	  "rbind",	 "private",  "rprivate",
					    "slave",	  "rslave",	 "shared",   "rshared",
					    "unbindable", "runbindable", "defaults", NULL };
	const char *last = NULL;
	bool same = true;
	struct statvfs vfs;

	for (const char *const *o = m->options; o && *o; o++) {
		if (is_one_of(*o, no) || is_one_of(*o, yes))
			last = *o;
		same = same && is_one_of(*o, kept);
	}
	if (last)
		return is_one_of(last, no);
	return same && fd >= 0 && fstatvfs(fd, &vfs) == 0 && (vfs.f_flag & ST_NOEXEC);
}

/* The descriptor of a bind mount's source, or -1 for what is opaque. */
static int open_source(int bundle, const struct spec_mount *m, bool *ret_file)
{
	CLEANUP_FD int fd = -1;
	struct stat st;

	*ret_file = false;
	if (!str_eq(m->type, "bind") && !has_option(m, "bind") && !has_option(m, "rbind"))
		return -1;
	fd = fd_openat2(bundle, m->source, O_PATH, 0, 0);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (S_ISDIR(st.st_mode))
		return fd_steal(&fd);
	*ret_file = true;
	if (!S_ISREG(st.st_mode))
		return fd_steal(&fd); /* a socket or device: enough to see what it is */
	fd_close(&fd);
	return fd_openat2(bundle, m->source, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, 0);
}

/* Where a mount's destination is: links are followed, what does not exist yet is taken as it is. */
static int place(struct rootfs_view *v, const char *destination, char **ret, struct err *err)
{
	const struct rootfs_view_mount *mount;
	enum found_kind kind;
	struct walk w;
	struct stat st;
	bool overflow = false;
	int fd;

	set_rest(&w, "/", destination);
	fd = walk(v, &w, &mount, &st, &kind);
	fd_close(&fd);
	while (!overflow && step(&w, &overflow))
		;
	*ret = strdup(w.done);
	return *ret ? 0 : err_set(err, ERR_NOMEM, "no memory for mounts");
}

int view_add_mounts(struct rootfs_view *v, int bundle, const struct spec *s, struct err *err)
{
	if (s->n_mounts > ROOTFS_VIEW_MOUNTS_MAX)
		return err_set(err, ERR_LIMIT, "%zu mounts, more than %d", s->n_mounts,
			       ROOTFS_VIEW_MOUNTS_MAX);
	v->mounts = calloc(s->n_mounts + 1, sizeof(*v->mounts));
	if (!v->mounts)
		return err_set(err, ERR_NOMEM, "no memory for mounts");
	for (size_t i = 0; i < s->n_mounts; i++) {
		const struct spec_mount *m = &s->mounts[i];
		struct rootfs_view_mount new = { .destination = m->destination, .fd = -1 };

		if (!*m->destination)
			continue;
		if (place(v, m->destination, &new.path, err) < 0)
			return -1;
		new.fd = open_source(bundle, m, &new.file);
		new.noexec = is_noexec(m, new.fd);
		new.fresh = str_eq(m->type, "tmpfs");
		new.recursive = has_option(m, "rbind");
		v->mounts[v->n++] = new;
	}
	return 0;
}
