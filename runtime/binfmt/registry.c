/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/binfmt/registry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"

/* Largest text of one entry: magic and mask of PROGRAM_HEAD bytes and a long interpreter. */
#define ENTRY_TEXT_MAX 8192

void binfmt_registry_deinit(struct binfmt_registry *r)
{
	free(r->entries);
	r->entries = NULL;
	r->n = r->cap = 0;
}

int binfmt_registry_add(struct binfmt_registry *r, const struct binfmt_entry *e, struct err *err)
{
	if (r->n == BINFMT_ENTRIES_MAX) {
		r->partial = true;
		return 0;
	}
	if (r->n == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 32;
		struct binfmt_entry *entries = realloc(r->entries, cap * sizeof(*entries));

		if (!entries)
			return err_set(err, ERR_NOMEM, "no memory for %zu binfmt handlers", cap);
		r->entries = entries;
		r->cap = cap;
	}
	r->entries[r->n++] = *e;
	return 0;
}

/*
 * Reads the small file @name into @text, terminated; 1 when it is gone, 0 when read, -1 on failure.
 * binfmt_misc gives all of it at once (fs/binfmt_misc.c), and a node has dozens: one read each.
 */
static int read_small(int dirfd, const char *name, char text[ENTRY_TEXT_MAX + 1], struct stat *st,
		      struct err *err)
{
	CLEANUP_FD int fd = fd_openat2(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0,
				       RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
	ssize_t n;

	if (fd < 0 || fstat(fd, st) < 0)
		return errno == ENOENT ? 1 : err_sys(err, ERR_IO, "open binfmt handler %s", name);
	n = read(fd, text, ENTRY_TEXT_MAX);
	if (n < 0)
		return err_sys(err, ERR_IO, "read binfmt handler %s", name);
	text[n] = '\0';
	return n < ENTRY_TEXT_MAX ? 0
				  : err_set(err, ERR_LIMIT, "binfmt handler %s is too long", name);
}

static int read_entry(int dirfd, const char *name, struct binfmt_registry *r, struct err *err)
{
	char text[ENTRY_TEXT_MAX + 1];
	struct binfmt_entry e;
	struct err ignored;
	struct stat st;
	int rc = read_small(dirfd, name, text, &st, &ignored);

	if (rc > 0)
		return 0;
	if (rc < 0 || binfmt_entry_parse(name, text, &e, &ignored) < 0) {
		r->partial = true;
		return 0;
	}
	if (e.kind == BINFMT_OPAQUE && e.enabled)
		r->partial = true;
	e.registered_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
	e.serial = st.st_ino;
	return binfmt_registry_add(r, &e, err);
}

static int read_status(int dirfd, struct binfmt_registry *r, struct err *err)
{
	char text[ENTRY_TEXT_MAX + 1];
	struct stat st;

	if (read_small(dirfd, "status", text, &st, err) != 0)
		return err_set(err, ERR_IO, "read status of binfmt_misc");
	r->state = str_after(text, "disabled") ? BINFMT_OFF : BINFMT_ON;
	return 0;
}

int binfmt_registry_read(int dirfd, bool mounted, struct binfmt_registry *ret, struct err *err)
{
	CLEANUP_REGISTRY struct binfmt_registry r = { 0 };
	struct dirent *d;
	DIR *dir;
	int fd, rc = 0;

	if (read_status(dirfd, &r, err) < 0)
		return -1;
	fd = fd_openat2(dirfd, ".", O_RDONLY | O_DIRECTORY, 0, RESOLVE_BENEATH);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		fd_close(&fd);
		return err_sys(err, ERR_IO, "list binfmt_misc");
	}
	while (rc == 0 && (d = readdir(dir)))
		if (d->d_name[0] != '.' && !str_eq(d->d_name, "status") &&
		    !str_eq(d->d_name, "register"))
			rc = read_entry(dirfd, d->d_name, &r, err);
	closedir(dir);
	if (rc < 0)
		return -1;
	if (!mounted && !r.n && !r.partial)
		r.state = BINFMT_NOT_MOUNTED;
	*ret = r;
	r = (struct binfmt_registry){ 0 };
	return 0;
}

/* True when @a was registered after @b: the kernel puts new handlers in front. */
static bool later(const struct binfmt_entry *a, const struct binfmt_entry *b)
{
	if (a->registered_ns != b->registered_ns)
		return a->registered_ns > b->registered_ns;
	return a->serial > b->serial;
}

const struct binfmt_entry *binfmt_registry_match(const struct binfmt_registry *r,
						 const uint8_t *head, const char *path,
						 bool disabled,
						 const struct binfmt_entry **ret_other)
{
	const struct binfmt_entry *best = NULL, *other = NULL;

	for (size_t i = 0; i < r->n; i++) {
		const struct binfmt_entry *e = &r->entries[i];

		if ((!e->enabled && !disabled) || !binfmt_entry_matches(e, head, path))
			continue;
		if (!best || later(e, best)) {
			other = best ? best : other;
			best = e;
		} else {
			other = e;
		}
	}
	if (ret_other)
		*ret_other = other && !str_eq(other->interpreter, best->interpreter) ? other : NULL;
	return best;
}

const struct binfmt_entry *binfmt_registry_for(const struct binfmt_registry *r,
					       const struct arch *a, bool disabled)
{
	uint8_t head[PROGRAM_HEAD] = { 0 };

	arch_header(a, head);
	return binfmt_registry_match(r, head, "", disabled, NULL);
}
