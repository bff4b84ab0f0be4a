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
#include "runtime/cli/temporary.h"

#define COMPRESSED "compressed"

void archive_file_deinit(struct archive_file *f)
{
	fd_close(&f->fd);
	archive_list_deinit(&f->list);
	*f = (struct archive_file)ARCHIVE_FILE_INIT;
}

/* --- in the confined process ----------------------------------------------------------------- */

struct job {
	int fd;
	int64_t at, end;
	int to; /* where the inflated archive goes */
	struct room room;
};

/* A line for each file: where it is, its size, its name and what it is a link to ("" for none). */
static int say_entry(int out, const struct tar_entry *e, struct err *err)
{
	const char *link = e->other ? e->other : e->link ? e->link : "";
	char line[2 * 4200];
	int n;

	if (!S_ISREG(e->mode) && !S_ISLNK(e->mode) && !e->other)
		return 0;
	n = snprintf(line, sizeof(line), "%lld %lld %c%s%c%s", (long long)e->at, (long long)e->size,
		     e->other		? 'h'
		     : S_ISLNK(e->mode) ? 's'
					: 'f',
		     e->name, '\0', link);
	if (n < 0 || (size_t)n >= sizeof(line))
		return 0; /* nothing that an image archive would be asked for */
	return fd_write_all(out, line, (size_t)n + 1) < 0 ? err_sys(err, ERR_IO, "write") : 0;
}

/* What fails at the first entry is most likely a wrong file. */
static int no_archive(struct err *err)
{
	const struct err why = *err;

	return err_set(err, ERR_INVALID,
		       "%.200s. Wanted is a tar, plain or packed with gzip or zstd, as docker save "
		       "and OCI tools write it",
		       why.text);
}

static int list_entries(struct tar_reader *t, int out, struct err *err)
{
	struct tar_entry e;
	bool more;
	size_t n;

	for (n = 0; tar_next(t, &e, &more, err) == 0; n++) {
		if (!more)
			return 0;
		if (tar_is_compressed(t))
			return fd_write_all(out, COMPRESSED, sizeof(COMPRESSED)) < 0
				       ? err_sys(err, ERR_IO, "write")
				       : 0;
		if (say_entry(out, &e, err) < 0)
			return -1;
	}
	return n ? -1 : no_archive(err);
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
	return tar_open(&source.source, true, &t, err) < 0 ? no_archive(err)
							   : list_entries(t, out, err);
}

/* @room: NULL where it takes none. */
static int copy(struct tar_reader *t, int out, struct room *room, struct err *err)
{
	char bytes[64u << 10];
	ssize_t n;

	while ((n = tar_read(t, bytes, sizeof(bytes), err)) > 0) {
		if (room && room_take(room, n, err) < 0)
			return -1;
		if (fd_write_all(out, bytes, (size_t)n) < 0)
			return err_sys(err, ERR_IO, "write");
	}
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
	return copy(t, out, NULL, err);
}

static int run_inflate(void *ctx, int out, struct err *err)
{
	struct job *j = ctx;
	CLEANUP_TAR struct tar_reader *t = NULL;
	struct file_source source;

	(void)out;
	file_source_init(&source, j->fd, j->at, j->end - j->at, NULL);
	if (tar_open_raw(&source.source, &t, err) < 0 || first_entry(t, err) < 0)
		return -1;
	return copy(t, j->to, &j->room, err);
}

/* --- opening --------------------------------------------------------------------------------- */

static int measure(struct archive_file *f, struct err *err)
{
	struct stat st;

	if (fstat(f->fd, &st) < 0)
		return err_sys(err, ERR_IO, "stat");
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID,
			       "not a regular file (what comes through a pipe is read as \"-\")");
	f->size = st.st_size;
	return 0;
}

static int copy_pipe(int from, int to, struct room *room, struct err *err)
{
	char bytes[64u << 10];
	ssize_t n;

	while ((n = read(from, bytes, sizeof(bytes))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, ERR_IO, "read");
		if (room_take(room, n, err) < 0)
			return -1;
		if (fd_write_all(to, bytes, (size_t)n) < 0)
			return err_sys(err, ERR_IO, "write");
	}
	return 0;
}

/* An archive is read more than once, and not from front to end. */
static int open_input(struct archive_file *f, struct err *err)
{
	CLEANUP_FD int to = -1;
	struct room room;
	struct stat st;

	if (isatty(STDIN_FILENO))
		return err_set(err, ERR_INVALID, "it is a terminal, not an archive");
	if (fstat(STDIN_FILENO, &st) < 0)
		return err_sys(err, ERR_IO, "stat");
	if (S_ISREG(st.st_mode)) {
		f->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
		return f->fd < 0 ? err_sys(err, ERR_IO, "duplicate") : 0;
	}
	if (temporary_file(&to, err) < 0 || room_of(to, &room, err) < 0 ||
	    copy_pipe(STDIN_FILENO, to, &room, err) < 0)
		return -1;
	f->fd = fd_steal(&to);
	return 0;
}

static int inflate(struct archive_file *f, struct err *err)
{
	CLEANUP_BUF struct buf none = BUF_INIT(16);
	CLEANUP_FD int to = -1;
	struct job j = { .fd = f->fd, .end = f->size };
	const struct confined run = { run_inflate, &j, -1 };

	if (temporary_file(&to, err) < 0 || room_of(to, &j.room, err) < 0)
		return -1;
	j.to = to;
	if (confined_run(&run, &none, err) < 0)
		return err_in(err, "unpack");
	fd_close(&f->fd);
	f->fd = fd_steal(&to);
	return measure(f, err);
}

static int list(struct archive_file *f, struct err *err)
{
	struct job j = { .fd = f->fd, .end = f->size, .to = -1 };
	const struct confined run = { run_list, &j, -1 };

	archive_list_deinit(&f->list);
	return confined_run(&run, &f->list.names, err);
}

static int open_file(const char *path, struct archive_file *ret, struct err *err)
{
	if (str_eq(path, "-"))
		return open_input(ret, err) < 0 ? err_in(err, "standard input") : 0;
	ret->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return ret->fd < 0 ? err_sys(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%.200s", path)
			   : 0;
}

int archive_file_open(const char *path, struct archive_file *ret, struct err *err)
{
	if (open_file(path, ret, err) < 0)
		return -1;
	if (measure(ret, err) < 0 || list(ret, err) < 0)
		return err_in(err, "%.200s", path);
	if (str_eq(buf_str(&ret->list.names), COMPRESSED) &&
	    (inflate(ret, err) < 0 || list(ret, err) < 0))
		return err_in(err, "%.200s", path);
	return archive_list_parse(&ret->list, ret->size, err) < 0 ? err_in(err, "%.200s", path) : 0;
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
	return archive_list_find(&f->list, name);
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
