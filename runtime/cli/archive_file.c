/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/archive_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/cli/confined.h"
#include "runtime/cli/tar_reader.h"

/* The smallest piece of a tar archive. */
#define BLOCK 512

#define COMPRESSED "compressed"

void archive_file_deinit(struct archive_file *f)
{
	fd_close(&f->fd);
	free(f->members);
	buf_deinit(&f->names);
	*f = (struct archive_file)ARCHIVE_FILE_INIT;
}

/* --- in the confined process ----------------------------------------------------------------- */

struct job {
	int fd;
	int64_t at, end;
	int to; /* where the inflated archive goes */
};

static int say_entry(int out, const struct tar_entry *e, struct err *err)
{
	char line[4300];
	int n = snprintf(line, sizeof(line), "%lld %lld %s", (long long)e->at, (long long)e->size,
			 e->name);

	if (n < 0 || (size_t)n >= sizeof(line) || !S_ISREG(e->mode) || e->other)
		return 0; /* nothing that an image archive would be asked for */
	return fd_write_all(out, line, (size_t)n + 1) < 0 ? err_sys(err, ERR_IO, "write") : 0;
}

static int list_entries(struct tar_reader *t, int out, struct err *err)
{
	struct tar_entry e;
	bool more;

	while (tar_next(t, &e, &more, err) == 0) {
		if (!more)
			return 0;
		if (tar_is_compressed(t))
			return fd_write_all(out, COMPRESSED, sizeof(COMPRESSED)) < 0
				       ? err_sys(err, ERR_IO, "write")
				       : 0;
		if (say_entry(out, &e, err) < 0)
			return -1;
	}
	return -1;
}

static void close_reader(struct tar_reader **t)
{
	tar_close(*t);
}
#define CLEANUP_TAR CLEANUP(close_reader)

static int run_list(void *ctx, int out, struct err *err)
{
	const struct job *j = ctx;
	CLEANUP_TAR struct tar_reader *t = NULL;
	struct file_source source;

	file_source_init(&source, j->fd, j->at, j->end - j->at, NULL);
	return tar_open(&source.source, true, &t, err) < 0 ? -1 : list_entries(t, out, err);
}

static int copy(struct tar_reader *t, int out, struct err *err)
{
	char bytes[64u << 10];
	ssize_t n;

	while ((n = tar_read(t, bytes, sizeof(bytes), err)) > 0)
		if (fd_write_all(out, bytes, (size_t)n) < 0)
			return err_sys(err, ERR_IO, "write");
	return n < 0 ? -1 : 0;
}

static int first_entry(struct tar_reader *t, struct err *err)
{
	struct tar_entry e;
	bool more;

	if (tar_next(t, &e, &more, err) < 0)
		return -1;
	return more ? 0 : err_set(err, ERR_INVALID, "nothing is in it");
}

static int run_read(void *ctx, int out, struct err *err)
{
	const struct job *j = ctx;
	CLEANUP_TAR struct tar_reader *t = NULL;
	struct file_source source;

	file_source_init(&source, j->fd, j->at, j->end - j->at, NULL);
	if (tar_open(&source.source, false, &t, err) < 0 || first_entry(t, err) < 0)
		return -1;
	return copy(t, out, err);
}

static int run_inflate(void *ctx, int out, struct err *err)
{
	const struct job *j = ctx;
	CLEANUP_TAR struct tar_reader *t = NULL;
	struct file_source source;

	(void)out;
	file_source_init(&source, j->fd, j->at, j->end - j->at, NULL);
	if (tar_open_raw(&source.source, &t, err) < 0 || first_entry(t, err) < 0)
		return -1;
	return copy(t, j->to, err);
}

/* --- opening --------------------------------------------------------------------------------- */

static int temporary_file(int *ret, struct err *err)
{
	const char *tmp = getenv("TMPDIR");

	*ret = open(tmp && *tmp == '/' ? tmp : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return *ret < 0 ? err_sys(err, ERR_IO, "make a temporary file") : 0;
}

static int measure(struct archive_file *f, struct err *err)
{
	struct stat st;

	if (fstat(f->fd, &st) < 0)
		return err_sys(err, ERR_IO, "stat");
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "not a regular file");
	f->size = st.st_size;
	return 0;
}

static int inflate(struct archive_file *f, struct err *err)
{
	CLEANUP_BUF struct buf none = BUF_INIT(16);
	CLEANUP_FD int to = -1;
	struct job j = { f->fd, 0, f->size, -1 };
	const struct confined run = { run_inflate, &j, -1 };

	if (temporary_file(&to, err) < 0)
		return -1;
	j.to = to;
	if (confined_run(&run, &none, err) < 0)
		return err_in(err, "unpack");
	fd_close(&f->fd);
	f->fd = fd_steal(&to);
	return measure(f, err);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct archive_member *)a)->name,
		      ((const struct archive_member *)b)->name);
}

static int parse_member(const char *line, struct archive_member *ret, struct err *err)
{
	char *end;

	ret->at = strtoll(line, &end, 10);
	ret->size = strtoll(end, &end, 10);
	if (*end != ' ' || ret->at < 0 || ret->size < 0)
		return err_set(err, ERR_INVALID, "the list of files makes no sense");
	ret->name = end + 1;
	while (str_after(ret->name, "./"))
		ret->name += 2;
	return 0;
}

static int parse_list(struct archive_file *f, struct err *err)
{
	const char *p = buf_str(&f->names), *end = p + f->names.len;
	size_t n = 0;

	for (const char *c = p; c < end; c++)
		n += !*c;
	f->members = calloc(n + 1, sizeof(*f->members));
	if (!f->members)
		return err_set(err, ERR_NOMEM, "no memory for %zu files", n);
	for (; f->n < n; p += strlen(p) + 1) {
		struct archive_member *m = &f->members[f->n++];

		if (parse_member(p, m, err) < 0)
			return -1;
		if (m->size > f->size - m->at - BLOCK)
			return err_set(err, ERR_INVALID,
				       "it is cut off: %.100s ends after the end of the file",
				       m->name);
	}
	qsort(f->members, f->n, sizeof(*f->members), by_name);
	return 0;
}

static int list(struct archive_file *f, struct err *err)
{
	struct job j = { f->fd, 0, f->size, -1 };
	const struct confined run = { run_list, &j, -1 };

	buf_deinit(&f->names);
	return confined_run(&run, &f->names, err);
}

int archive_file_open(const char *path, struct archive_file *ret, struct err *err)
{
	ret->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (ret->fd < 0)
		return err_sys(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%.200s", path);
	if (measure(ret, err) < 0 || list(ret, err) < 0)
		return err_in(err, "%.200s", path);
	if (str_eq(buf_str(&ret->names), COMPRESSED) &&
	    (inflate(ret, err) < 0 || list(ret, err) < 0))
		return err_in(err, "%.200s", path);
	return parse_list(ret, err) < 0 ? err_in(err, "%.200s", path) : 0;
}

int archive_file_open_dir(const char *path, struct archive_file *ret, struct err *err)
{
	ret->dir = true;
	ret->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->fd < 0)
		return err_sys(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%.200s", path);
	return 0;
}

/* --- reading --------------------------------------------------------------------------------- */

const struct archive_member *archive_file_find(const struct archive_file *f, const char *name)
{
	const struct archive_member key = { .name = name };

	return f->n ? bsearch(&key, f->members, f->n, sizeof(key), by_name) : NULL;
}

static int read_below(const struct archive_file *f, const char *name, struct buf *ret,
		      struct err *err)
{
	CLEANUP_FD int fd = fd_openat2(f->fd, name, O_RDONLY | O_NONBLOCK, 0,
				       RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
	struct stat st;

	if (fd < 0)
		return err_sys(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%.200s", name);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "%.200s: not a regular file", name);
	return fd_read_all(fd, name, ret, err);
}

int archive_file_read(const struct archive_file *f, const char *name, struct buf *ret,
		      struct err *err)
{
	const struct archive_member *m;
	struct job j = { .fd = f->fd, .end = f->size, .to = -1 };
	const struct confined run = { run_read, &j, -1 };

	if (f->dir)
		return read_below(f, name, ret, err);
	m = archive_file_find(f, name);
	if (!m)
		return err_set(err, ERR_NOT_FOUND, "%.200s is not in it", name);
	if ((uint64_t)m->size > ret->max - ret->len)
		return err_set(err, ERR_LIMIT, "%.200s has %lld bytes", name, (long long)m->size);
	j.at = m->at;
	return confined_run(&run, ret, err) < 0 ? err_in(err, "%.200s", name) : 0;
}
