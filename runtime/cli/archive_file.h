/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/buf.h"
#include "runtime/base/err.h"
#include "runtime/base/mem.h"

/*
 * The files of an image archive, by their names: those in a tar archive, which is left as it is and
 * read where it is needed, or those below a directory. Forks (confined.h).
 */
struct archive_member {
	const char *name;
	int64_t at, size; /* of its header, and of its data */
};

struct archive_file {
	int fd;				/* the archive without compression, or the directory */
	bool dir;			/* it is a directory */
	int64_t size;			/* of the archive in bytes */
	struct archive_member *members; /* of an archive, by name; owned */
	size_t n;
	struct buf names;
};

#define ARCHIVE_FILE_INIT                              \
	{                                              \
		.fd = -1, .names = BUF_INIT(64u << 20) \
	}
#define CLEANUP_ARCHIVE_FILE CLEANUP(archive_file_deinit)
void archive_file_deinit(struct archive_file *f);

/*
 * Opens the archive @path; one that is compressed as a whole is unpacked into a temporary file
 * first, without a name. ERR_INVALID when it is none, or is cut off.
 */
MUST_CHECK int archive_file_open(const char *path, struct archive_file *ret, struct err *err);

/* The same of a directory with such files. */
MUST_CHECK int archive_file_open_dir(const char *path, struct archive_file *ret, struct err *err);

/* Appends what the file @name holds. ERR_NOT_FOUND without it, ERR_LIMIT beyond @ret's maximum. */
MUST_CHECK int archive_file_read(const struct archive_file *f, const char *name, struct buf *ret,
				 struct err *err);

/* NULL when there is none. Of an archive only. */
const struct archive_member *archive_file_find(const struct archive_file *f, const char *name);
