/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/archive_layer.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/cli/confined.h"
#include "runtime/cli/layer_tree.h"
#include "runtime/cli/tar_reader.h"

/* --- in the confined process ----------------------------------------------------------------- */

struct job {
	int fd; /* the archive, or the layer's own file */
	int64_t at, end;
	bool member; /* an entry of an archive begins there, not the layer itself */
	int root;
	const char *digest; /* NULL: was compared before */
	struct room room;
};

static void close_reader(struct tar_reader **t)
{
	tar_close(*t);
}
#define CLEANUP_TAR CLEANUP(close_reader)

/* What comes behind the end of the inner archive belongs to the digest as well. */
static int drain(struct byte_source *s, struct err *err)
{
	const void *bytes;
	ssize_t n;

	while ((n = s->pull(s, &bytes, err)) > 0)
		continue;
	return n < 0 ? -1 : 0;
}

static int compare(struct sha256 *sum, const char *digest, struct err *err)
{
	char text[80] = "sha256:";
	uint8_t found[32];

	if (!str_after(digest, "sha256:"))
		return 0; /* another algorithm, which nobody uses */
	sha256_end(sum, found);
	for (size_t i = 0; i < sizeof(found); i++)
		(void)snprintf(text + 7 + 2 * i, 3, "%02x", found[i]);
	return str_eq(text, digest)
		       ? 0
		       : err_set(err, ERR_INVALID, "it is damaged: it holds %.80s", text);
}

/* Says what room is left. */
static int add_layer(const struct job *j, struct tar_reader *layer, int out, struct err *err)
{
	struct room left = j->room;

	if (layer_add(j->root, layer, &left, err) < 0)
		return -1;
	return fd_write_all(out, &left, sizeof(left)) < 0 ? err_sys(err, ERR_IO, "write") : 0;
}

static int walk_layer(const struct job *j, struct byte_source *source, struct sha256 *sum, int out,
		      struct err *err)
{
	CLEANUP_TAR struct tar_reader *layer = NULL;

	if (tar_open(source, true, &layer, err) < 0)
		return -1;
	if (!j->digest)
		return add_layer(j, layer, out, err);
	if (layer_remove(j->root, layer, err) < 0 || drain(source, err) < 0)
		return -1;
	return compare(sum, j->digest, err);
}

static int walk_member(const struct job *j, struct byte_source *outer, struct sha256 *sum, int out,
		       struct err *err)
{
	CLEANUP_TAR struct tar_reader *t = NULL;
	struct entry_source inner;
	struct tar_entry e;
	bool more;

	if (tar_open(outer, false, &t, err) < 0 || tar_next(t, &e, &more, err) < 0)
		return -1;
	if (!more)
		return err_set(err, ERR_INVALID, "it is not where it was");
	entry_source_init(&inner, t, sum);
	return walk_layer(j, &inner.source, sum, out, err);
}

static int run_walk(void *ctx, int out, struct err *err)
{
	const struct job *j = ctx;
	struct file_source source;
	struct sha256 sum;

	sha256_init(&sum);
	file_source_init(&source, j->fd, j->at, j->end - j->at, j->member ? NULL : &sum);
	return j->member ? walk_member(j, &source.source, &sum, out, err)
			 : walk_layer(j, &source.source, &sum, out, err);
}

/* --- from outside ---------------------------------------------------------------------------- */

static int locate(const struct archive_file *f, const char *name, int *ret_fd, struct job *j,
		  struct err *err)
{
	const struct archive_member *m = f->dir ? NULL : archive_file_find(f, name);
	struct stat st;

	*j = (struct job){ .fd = f->fd, .at = m ? m->at : 0, .end = f->size, .member = true };
	if (m)
		return 0;
	if (!f->dir)
		return err_set(err, ERR_NOT_FOUND, "it is not in the archive");
	*ret_fd = fd_openat2(f->fd, name, O_RDONLY | O_NONBLOCK, 0,
			     RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
	if (*ret_fd < 0 || fstat(*ret_fd, &st) < 0)
		return err_sys(err, ERR_NOT_FOUND, "%.200s", name);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "%.200s is not a regular file", name);
	*j = (struct job){ .fd = *ret_fd, .end = st.st_size };
	return 0;
}

/* The second time the layer is known to be whole: only then is something made of it. */
int archive_layer_apply(const struct archive_file *f, const char *name, const char *digest,
			int root, struct room *room, struct err *err)
{
	CLEANUP_BUF struct buf left = BUF_INIT(sizeof(*room));
	CLEANUP_FD int fd = -1;
	struct job j;
	const struct confined run = { run_walk, &j, root };

	if (locate(f, name, &fd, &j, err) < 0)
		return -1;
	j.root = root;
	j.digest = digest;
	if (confined_run(&run, &left, err) < 0)
		return -1;
	j.digest = NULL;
	j.room = *room;
	if (confined_run(&run, &left, err) < 0)
		return -1;
	if (left.len != sizeof(*room))
		return err_set(err, ERR_INVALID, "its reader did not come to the end");
	memcpy(room, left.data, sizeof(*room));
	return 0;
}
