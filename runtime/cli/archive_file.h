/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/buf.h"
#include "runtime/base/err.h"
#include "runtime/base/mem.h"
#include "runtime/cli/archive_list.h"

/*
 * The files of an image archive, by their names: those in a tar archive, which is left as it is and
 * read where it is needed, or those below a directory. Forks (confined.h).
 */
struct archive_file {
	int fd;			  /* the archive without compression, or the directory */
	bool dir;		  /* it is a directory */
	int64_t size;		  /* of the archive in bytes */
	struct archive_list list; /* of an archive */
};

#define ARCHIVE_FILE_INIT                            \
	{                                            \
		.fd = -1, .list = ARCHIVE_LIST_INIT, \
	}
#define CLEANUP_ARCHIVE_FILE CLEANUP(archive_file_deinit)
void archive_file_deinit(struct archive_file *f);

/*
 * Opens the archive @path, "-" for standard input; what comes through a pipe, and an archive that
 * is compressed as a whole, is put into a temporary file first, without a name. ERR_INVALID when it
 * is none, or is cut off.
 */
MUST_CHECK int archive_file_open(const char *path, struct archive_file *ret, struct err *err);

/* The same of a directory with such files. */
MUST_CHECK int archive_file_open_dir(const char *path, struct archive_file *ret, struct err *err);

/* Appends what the file @name holds. ERR_NOT_FOUND without it, ERR_LIMIT beyond @ret's maximum. */
MUST_CHECK int archive_file_read(const struct archive_file *f, const char *name, struct buf *ret,
				 struct err *err);

/* As archive_list_find(), of an archive only. */
const struct archive_member *archive_file_find(const struct archive_file *f, const char *name);
