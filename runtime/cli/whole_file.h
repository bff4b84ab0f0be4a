/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <limits.h>

#include "runtime/base/buf.h"
#include "runtime/base/err.h"
#include "runtime/base/mem.h"

/*
 * A file that a person named for a command to write: whoever reads it sees the old contents or the
 * new ones, whole, and a symbolic link stays one. "-" is standard output.
 */
struct whole_file {
	int dirfd; /* -1: standard output */
	char name[NAME_MAX + 1];
};

#define WHOLE_FILE_INIT     \
	{                   \
		.dirfd = -1 \
	}
#define CLEANUP_WHOLE_FILE CLEANUP(whole_file_deinit)
void whole_file_deinit(struct whole_file *f);

/*
 * Finds the directory, before there is anything to write. ERR_INVALID for a directory, device or
 * pipe, which a rename would replace by a file.
 */
MUST_CHECK int whole_file_open(const char *path, struct whole_file *ret, struct err *err);

/* Writes it, for everybody to read but for what the umask takes away. */
MUST_CHECK int whole_file_write(const struct whole_file *f, const struct buf *text,
				struct err *err);
