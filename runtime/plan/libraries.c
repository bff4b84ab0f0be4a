/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/plan/libraries.h"

#include <elf.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/cursor.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/image/dynamic.h"
#include "runtime/image/jemalloc.h"

#define OBJECTS_MAX 128
#define CACHE_MAX (4u << 20) /* bytes of ld.so.cache */

/* One look at all that a program needs. */
struct search {
	const struct inspect *in;
	const struct facts *f;
	const char *names[OBJECTS_MAX], *paths[OBJECTS_MAX]; /* found, in the order of the search */
	size_t n;
	const char *program_path; /* DT_RPATH or DT_RUNPATH of the program, and its directory */
	const char *program_dir;
	const char *loader_dir; /* where the loader really is: Debian's libraries are there */
	uint8_t *cache;
	size_t cache_size;
	char *musl_path;
	bool musl, doubt;
	const char *unfit;   /* the first that cannot be mapped with this kernel's pages, */
	uint64_t unfit_page; /* but with pages of up to so many bytes */
};

/* Whether a file is the library: it must be of the same machine, or the loader looks further. */
enum fit { FIT_NO, FIT_YES, FIT_UNKNOWN };

static enum fit try_path(struct search *s, const char *path, struct found *ret)
{
	const struct ident *want = &facts_last(s->f)->image.ident;
	uint8_t head[64] = { 0 };
	struct ident id;
	ssize_t n;

	view_find(s->in->view, s->in->process->cwd, path, ret);
	if (ret->kind == FOUND_UNKNOWN)
		return FIT_UNKNOWN;
	if (ret->kind != FOUND_FILE)
		return FIT_NO;
	n = pread(ret->fd, head, sizeof(head), 0);
	if (n > 0 && ident_read(head, (size_t)n, &id) == IDENT_ELF && id.cls == want->cls &&
	    id.order == want->order && id.machine == want->machine)
		return FIT_YES;
	found_deinit(ret);
	return FIT_NO;
}

/* @dir/@name; $ORIGIN is the directory of whoever asks. */
static enum fit try_in(struct search *s, const char *dir, size_t n, const char *origin,
		       const char *name, struct found *ret)
{
	static const char *const words[] = { "$ORIGIN", "${ORIGIN}" };
	char path[PATH_MAX];

	if (!n)
		return FIT_NO;
	for (size_t i = 0; i < 2; i++) {
		size_t length = strlen(words[i]);

		if (n >= length && memcmp(dir, words[i], length) == 0)
			return str_fmt(path, sizeof(path), "%s%.*s/%s", origin, (int)(n - length),
				       dir + length, name)
				       ? try_path(s, path, ret)
				       : FIT_NO;
	}
	if (memchr(dir, '$', n))
		return FIT_UNKNOWN; /* $LIB and $PLATFORM */
	if (!str_fmt(path, sizeof(path), "%.*s/%s", (int)n, dir, name))
		return FIT_NO;
	return try_path(s, path, ret);
}

/* A list of directories, separated by any of @separators. */
static enum fit try_list(struct search *s, const char *list, const char *separators,
			 const char *origin, const char *name, struct found *ret)
{
	while (list && *list) {
		size_t n = strcspn(list, separators);
		enum fit fit = try_in(s, list, n, origin, name, ret);

		if (fit != FIT_NO)
			return fit;
		list += n + (list[n] != '\0');
	}
	return FIT_NO;
}

/*
 * glibc's ld.so.cache (sysdeps/generic/dl-cache.h): a header of 48 bytes, entries of 24 with the
 * offsets of name and path from the header, all in the byte order of the machine.
 */
static enum fit try_cache(struct search *s, const char *name, struct found *ret)
{
	static const char magic[] = "glibc-ld.so.cache1.1";
	bool big = facts_last(s->f)->image.ident.order == ELFDATA2MSB;
	const uint8_t *start = s->cache_size ? memmem(s->cache, s->cache_size, magic, 20) : NULL;
	size_t size = start ? s->cache_size - (size_t)(start - s->cache) : 0;
	struct cursor c;
	uint64_t n;

	if (size < 48)
		return FIT_NO;
	c = cursor_of(start + 20, size - 20);
	n = cur_uint(&c, 4, big);
	cur_skip(&c, 24);
	for (; n && !c.bad; n--) {
		uint64_t key, value;

		cur_skip(&c, 4);
		key = cur_uint(&c, 4, big);
		value = cur_uint(&c, 4, big);
		cur_skip(&c, 12);
		if (c.bad || key >= size || value >= size || !memchr(start + key, 0, size - key) ||
		    !memchr(start + value, 0, size - value) ||
		    !str_eq((const char *)start + key, name))
			continue;
		if (try_path(s, (const char *)start + value, ret) == FIT_YES)
			return FIT_YES;
	}
	return FIT_NO;
}

/* Looks in all places where a loader of this kind may look: too many, so that none is missed. */
static enum fit find_library(struct search *s, const struct dynamic *by, const char *origin,
			     const char *name, struct found *ret)
{
	static const char usual[] =
		"/lib:/usr/lib:/lib64:/usr/lib64:/usr/local/lib:/lib32:/usr/lib32:"
		"/libx32:/usr/lib/glibc-hwcaps";
	const char *lists[] = { by->rpath,	 by->runpath,
				s->program_path, spec_env(s->in->process, "LD_LIBRARY_PATH"),
				s->loader_dir,	 usual };
	enum fit fit = FIT_NO;

	if (strchr(name, '/'))
		return try_path(s, name, ret);
	for (size_t i = 0; i < ARRAY_SIZE(lists) && fit == FIT_NO; i++)
		fit = try_list(s, lists[i], ":;",
			       lists[i] == s->program_path ? s->program_dir : origin, name, ret);
	if (fit == FIT_NO)
		fit = try_list(s, s->musl_path, ":\n", origin, name, ret);
	return fit == FIT_NO ? try_cache(s, name, ret) : fit;
}

/* musl's loader is these libraries itself. */
static bool is_musl_own(const char *name)
{
	static const char *const own[] = { "libc.",  "libpthread.", "librt.",  "libm.",
					   "libdl.", "libutil.",    "libxnet." };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (str_after(name, own[i]))
			return true;
	return false;
}

/* Every file has the loader itself among its libraries. */
static bool is_known(struct search *s, const char *name)
{
	const char *loader = strrchr(facts_last(s->f)->image.interp, '/');

	if (s->musl && is_musl_own(name))
		return true;
	if (loader && str_eq(loader + 1, name))
		return true;
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->names[i], name))
			return true;
	return false;
}

static const char *dir_of(const struct inspect *in, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = arena_strdup(in->arena, slash ? path : "/");

	if (dir && slash)
		dir[slash == path ? 1 : slash - path] = '\0';
	return dir;
}

/* A library is mapped by its loader as a program is by the kernel. */
static int check_pages(struct search *s, const char *name, const struct found *library,
		       struct err *err)
{
	struct image img;

	if (image_read(library->fd, library->size, s->f->host, &img, err) < 0)
		return -1;
	if (s->unfit || img.kind != IMAGE_ELF || !img.segments.largest_page ||
	    img.segments.largest_page >= s->f->host->page_size)
		return 0;
	s->unfit = name;
	s->unfit_page = img.segments.largest_page;
	return 0;
}

/* What one object needs: 1 when *@ret is missing. */
static int look_at_object(struct search *s, int fd, const char *origin, const char **ret,
			  struct err *err)
{
	struct dynamic d;

	if (dynamic_read(fd, &facts_last(s->f)->image.ident, s->in->arena, &d, err) < 0)
		return -1;
	if (!s->program_path) {
		s->program_path = *d.runpath ? d.runpath : d.rpath;
		s->program_dir = origin;
	}
	for (size_t i = 0; i < d.n && !s->doubt; i++) {
		CLEANUP_FOUND struct found found = FOUND_INIT;
		enum fit fit;

		if (is_known(s, d.needed[i]))
			continue;
		fit = find_library(s, &d, origin, d.needed[i], &found);
		s->doubt = fit == FIT_UNKNOWN || s->n == OBJECTS_MAX;
		if (s->doubt)
			return 0;
		if (fit == FIT_NO) {
			*ret = d.needed[i];
			return 1;
		}
		if (check_pages(s, d.needed[i], &found, err) < 0)
			return -1;
		s->names[s->n] = d.needed[i];
		s->paths[s->n] = arena_strdup(s->in->arena, found.path);
		if (!s->paths[s->n++])
			return err_set(err, ERR_NOMEM, "no memory for libraries");
	}
	return 0;
}

/* The program, and then every library that was found, in turn. */
static int look_at_all(struct search *s, const char *program, const char **ret, struct err *err)
{
	const char *path = program;
	int rc = 0;

	for (size_t i = 0; rc == 0 && !s->doubt; i++) {
		CLEANUP_FOUND struct found found = FOUND_INIT;
		const char *dir = dir_of(s->in, path);

		view_find(s->in->view, "/", path, &found);
		s->doubt = found.kind != FOUND_FILE;
		if (!dir)
			return err_set(err, ERR_NOMEM, "no memory for libraries");
		if (!s->doubt)
			rc = look_at_object(s, found.fd, dir, ret, err);
		if (i == s->n)
			break;
		path = s->paths[i];
	}
	return rc;
}

/* A file of the container as text in the arena, NULL when it is not there. */
static int read_text(struct search *s, const char *path, size_t max, uint8_t **ret, size_t *ret_n,
		     struct err *err)
{
	CLEANUP_FOUND struct found found = FOUND_INIT;
	ssize_t n;

	*ret = NULL;
	*ret_n = 0;
	view_find(s->in->view, "/", path, &found);
	s->doubt = s->doubt || found.kind == FOUND_UNKNOWN;
	if (found.kind != FOUND_FILE)
		return 0;
	if (found.size > max) {
		s->doubt = true;
		return 0;
	}
	*ret = arena_alloc(s->in->arena, (size_t)found.size + 1);
	if (!*ret)
		return err_set(err, ERR_NOMEM, "no memory for %s", path);
	n = pread(found.fd, *ret, (size_t)found.size, 0);
	if (n < 0)
		return err_sys(err, ERR_IO, "read %s", path);
	*ret_n = (size_t)n;
	return 0;
}

static int prepare(struct search *s, const struct program_file *program, struct err *err)
{
	const char *base = strrchr(program->image.interp, '/'), *arch;
	char path[PATH_MAX];
	uint8_t *text;
	size_t n;

	if (s->f->loader.where)
		s->loader_dir = dir_of(s->in, s->f->loader.where);
	arch = base ? str_after(base + 1, "ld-musl-") : NULL;
	s->musl = arch != NULL;
	if (!arch)
		return read_text(s, "/etc/ld.so.cache", CACHE_MAX, &s->cache, &s->cache_size, err);
	if (!str_fmt(path, sizeof(path), "/etc/ld-musl-%.*s.path", (int)strcspn(arch, "."), arch))
		return 0;
	if (read_text(s, path, 65536, &text, &n, err) < 0)
		return -1;
	s->musl_path = (char *)text;
	return 0;
}

/* A loader that looks elsewhere, Nix's or one below a prefix, leaves everything in doubt. */
static bool is_usual(const struct facts *f)
{
	const struct arch *a = facts_guest(f);

	for (size_t i = 0; a && i < ARRAY_SIZE(a->loaders) && a->loaders[i]; i++)
		if (str_eq(a->loaders[i], facts_last(f)->image.interp))
			return f->loader.found == FOUND_FILE &&
			       str_eq(f->loader.path, facts_last(f)->image.interp);
	return false;
}

int libraries_check(const struct inspect *in, struct facts *f, struct err *err)
{
	const struct program_file *program = facts_last(f);
	struct search s = { .in = in, .f = f };
	const char *missing = NULL;
	int rc;

	if (!f->n_chain || program->found != FOUND_FILE || program->image.kind != IMAGE_ELF ||
	    !program->where || !is_usual(f))
		return 0;
	if (prepare(&s, program, err) < 0)
		return -1;
	rc = look_at_all(&s, program->where, &missing, err);
	if (rc < 0 || s.doubt)
		return rc < 0 ? -1 : 0;
	f->library = rc == 1 ? missing : s.unfit;
	f->library_page = rc == 1 ? 0 : s.unfit_page;
	return 0;
}

/* --- an allocator ---------------------------------------------------------------------------- */

/* True when the file @path of the container has a jemalloc that fails on this kernel. */
static bool check_allocator(const struct inspect *in, struct facts *f, const char *path)
{
	CLEANUP_FOUND struct found found = FOUND_INIT;
	uint64_t page;

	view_find(in->view, in->process->cwd, path, &found);
	page = found.kind == FOUND_FILE ? jemalloc_page_of_file(found.fd, found.size) : 0;
	if (!page || page >= f->host->page_size)
		return false;
	f->allocator = path;
	f->allocator_page = page;
	return true;
}

/* Names without a directory are looked up by the loader; they are not followed. */
static int check_preloaded(const struct inspect *in, struct facts *f, bool *ret, struct err *err)
{
	const char *variable = spec_env(in->process, "LD_PRELOAD");
	char *list = variable ? arena_strdup(in->arena, variable) : NULL, *path;

	if (variable && !list)
		return err_set(err, ERR_NOMEM, "no memory for libraries");
	while (!*ret && (path = strsep(&list, ": ")))
		*ret = path[0] == '/' && check_allocator(in, f, path);
	return 0;
}

static int check_needed(const struct inspect *in, struct facts *f, struct err *err)
{
	struct search s = { .in = in, .f = f };
	const char *missing;

	if (prepare(&s, facts_last(f), err) < 0 ||
	    look_at_all(&s, facts_last(f)->where, &missing, err) < 0)
		return -1;
	for (size_t i = 0; i < s.n; i++)
		if (strstr(s.names[i], "jemalloc") && check_allocator(in, f, s.paths[i]))
			break;
	return 0;
}

int libraries_allocator(const struct inspect *in, struct facts *f, struct err *err)
{
	const struct program_file *program = facts_last(f);
	bool found = false;

	if (!f->n_chain || program->found != FOUND_FILE || program->image.kind != IMAGE_ELF ||
	    !program->where || check_allocator(in, f, program->where))
		return 0;
	if (!program->image.interp[0] || check_preloaded(in, f, &found, err) < 0)
		return program->image.interp[0] ? -1 : 0;
	return found || !is_usual(f) ? 0 : check_needed(in, f, err);
}
