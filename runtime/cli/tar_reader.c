/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/tar_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/mem.h"

/* --- sources --------------------------------------------------------------------------------- */

static ssize_t file_pull(struct byte_source *source, const void **ret, struct err *err)
{
	struct file_source *s = container_of(source, struct file_source, source);
	int64_t left = s->end - s->at;
	ssize_t n;

	do
		n = pread(s->fd, s->bytes,
			  left < (int64_t)sizeof(s->bytes) ? (size_t)left : sizeof(s->bytes),
			  s->at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(err, ERR_IO, "read");
	s->at += n;
	if (s->sum)
		sha256_add(s->sum, s->bytes, (size_t)n);
	*ret = s->bytes;
	return n;
}

static int64_t file_skip(struct byte_source *source, int64_t n)
{
	struct file_source *s = container_of(source, struct file_source, source);
	int64_t left = s->end - s->at;

	n = n < left ? n : left;
	s->at += n;
	return n;
}

void file_source_init(struct file_source *s, int fd, int64_t at, int64_t size, struct sha256 *sum)
{
	s->source = (struct byte_source){ file_pull, sum ? NULL : file_skip };
	s->fd = fd;
	s->at = at;
	s->end = at + size;
	s->sum = sum;
}

static ssize_t entry_pull(struct byte_source *source, const void **ret, struct err *err)
{
	struct entry_source *s = container_of(source, struct entry_source, source);
	ssize_t n = tar_read(s->t, s->bytes, sizeof(s->bytes), err);

	if (n > 0 && s->sum)
		sha256_add(s->sum, s->bytes, (size_t)n);
	*ret = s->bytes;
	return n;
}

void entry_source_init(struct entry_source *s, struct tar_reader *t, struct sha256 *sum)
{
	s->source = (struct byte_source){ entry_pull, NULL };
	s->t = t;
	s->sum = sum;
}

/* --- reading --------------------------------------------------------------------------------- */

struct tar_reader {
	struct archive *a;
	struct byte_source *source;
	struct err source_err; /* of the source, which libarchive does not pass on whole */
};

static la_ssize_t on_read(struct archive *a, void *ctx, const void **ret)
{
	struct tar_reader *t = ctx;
	ssize_t n = t->source->pull(t->source, ret, &t->source_err);

	if (n < 0)
		archive_set_error(a, EIO, "%s", t->source_err.text);
	return n;
}

static la_int64_t on_skip(struct archive *a, void *ctx, la_int64_t n)
{
	struct tar_reader *t = ctx;

	(void)a;
	return t->source->skip(t->source, n);
}

static int fail(struct tar_reader *t, struct err *err)
{
	const char *text = archive_error_string(t->a);

	return err_set(err, ERR_INVALID, "%s", text ? text : "not a tar archive");
}

/* Those that images come with; a program to run for others is never looked for. */
static void support_filters(struct archive *a)
{
	(void)archive_read_support_filter_gzip(a);
	(void)archive_read_support_filter_zstd(a);
}

static int open_as(struct byte_source *source, bool compressed, bool raw, struct tar_reader **ret,
		   struct err *err)
{
	struct tar_reader *t = calloc(1, sizeof(*t));

	if (!t || !(t->a = archive_read_new())) {
		free(t);
		return err_set(err, ERR_NOMEM, "no memory to read an archive");
	}
	t->source = source;
	if (compressed)
		support_filters(t->a);
	(void)(raw ? archive_read_support_format_raw(t->a) : archive_read_support_format_tar(t->a));
	if (!raw)
		(void)archive_read_support_format_empty(t->a);
	archive_read_set_callback_data(t->a, t);
	archive_read_set_read_callback(t->a, on_read);
	if (source->skip)
		archive_read_set_skip_callback(t->a, on_skip);
	if (archive_read_open1(t->a) != ARCHIVE_OK) {
		(void)fail(t, err);
		tar_close(t);
		return -1;
	}
	*ret = t;
	return 0;
}

int tar_open(struct byte_source *source, bool compressed, struct tar_reader **ret, struct err *err)
{
	return open_as(source, compressed, false, ret, err);
}

int tar_open_raw(struct byte_source *source, struct tar_reader **ret, struct err *err)
{
	return open_as(source, true, true, ret, err);
}

struct tar_reader *tar_close(struct tar_reader *t)
{
	if (t) {
		archive_read_free(t->a);
		free(t);
	}
	return NULL;
}

bool tar_is_compressed(struct tar_reader *t)
{
	return archive_filter_count(t->a) > 1;
}

/* Names are bytes; those that an extended header gives in UTF-8 are taken as they are. */
static const char *either(const char *bytes, const char *utf8)
{
	return bytes ? bytes : utf8;
}

int tar_next(struct tar_reader *t, struct tar_entry *ret, bool *ret_more, struct err *err)
{
	struct archive_entry *e;
	int rc = archive_read_next_header(t->a, &e);

	*ret_more = rc == ARCHIVE_OK || rc == ARCHIVE_WARN;
	if (rc == ARCHIVE_EOF)
		return 0;
	if (!*ret_more)
		return fail(t, err);
	*ret = (struct tar_entry){
		.name = either(archive_entry_pathname(e), archive_entry_pathname_utf8(e)),
		.at = archive_read_header_position(t->a),
		.size = archive_entry_size(e),
		.mode = archive_entry_mode(e),
		.link = either(archive_entry_symlink(e), archive_entry_symlink_utf8(e)),
		.other = either(archive_entry_hardlink(e), archive_entry_hardlink_utf8(e)),
	};
	return ret->name ? 0 : err_set(err, ERR_INVALID, "an entry without a name");
}

ssize_t tar_read(struct tar_reader *t, void *bytes, size_t n, struct err *err)
{
	la_ssize_t got = archive_read_data(t->a, bytes, n);

	return got < 0 ? fail(t, err) : (ssize_t)got;
}
