/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "runtime/base/err.h"
#include "runtime/base/sha256.h"

/*
 * A tar archive, through libarchive, read from the front to the end. What is in it was written by
 * image authors: this runs in a confined process only (confined.h).
 */

/* Where the bytes come from. `pull` gives the next ones, 0 at the end, -1 with @err. */
struct byte_source {
	ssize_t (*pull)(struct byte_source *s, const void **ret, struct err *err);
	/* Passes over up to @n bytes and returns how many; NULL where they have to be read. */
	int64_t (*skip)(struct byte_source *s, int64_t n);
};

/* A piece of a file: @size bytes from @at on. */
struct file_source {
	struct byte_source source;
	int fd; /* not owned */
	int64_t at, end;
	struct sha256 *sum; /* NULL, or takes all that is read: then nothing is skipped */
	char bytes[64u << 10];
};

void file_source_init(struct file_source *s, int fd, int64_t at, int64_t size, struct sha256 *sum);

struct tar_entry {
	const char *name;
	int64_t at;	   /* of its header in the stream without compression */
	int64_t size;	   /* of its data */
	mode_t mode;	   /* file type and permissions */
	const char *link;  /* target of a symbolic link, NULL otherwise */
	const char *other; /* name of what it is a hard link to, NULL otherwise */
};

struct tar_reader;

/* @compressed: also what gzip or zstd made of an archive. @source outlives it. */
MUST_CHECK int tar_open(struct byte_source *source, bool compressed, struct tar_reader **ret,
			struct err *err);

/* Takes NULL, and returns it. */
struct tar_reader *tar_close(struct tar_reader *t);

/* Whether the stream was compressed; after the first tar_next(). */
bool tar_is_compressed(struct tar_reader *t);

/* The next entry; its strings live until the one after it. *ret_more false: there is none. */
MUST_CHECK int tar_next(struct tar_reader *t, struct tar_entry *ret, bool *ret_more,
			struct err *err);

/* The next bytes of the entry's data, 0 at their end, -1 with @err. */
ssize_t tar_read(struct tar_reader *t, void *bytes, size_t n, struct err *err);

/* The same stream without its compression, whatever it holds; one entry. */
MUST_CHECK int tar_open_raw(struct byte_source *source, struct tar_reader **ret, struct err *err);

/* The data of the entry that @t is at, as a source of another one. */
struct entry_source {
	struct byte_source source;
	struct tar_reader *t;
	struct sha256 *sum; /* as above */
	char bytes[64u << 10];
};

void entry_source_init(struct entry_source *s, struct tar_reader *t, struct sha256 *sum);
