/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "runtime/base/buf.h"
#include "runtime/base/err.h"

/* openat2(2) with @resolve (RESOLVE_*), O_CLOEXEC added. The descriptor, or -1 and errno. */
int fd_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

/* Writes all @n bytes, through EINTR and short writes. -1 and errno on failure. */
MUST_CHECK int fd_write_all(int fd, const void *bytes, size_t n);

/* Reads to end of file into @b, at most up to its maximum (ERR_LIMIT). @what names it in errors. */
MUST_CHECK int fd_read_all(int fd, const char *what, struct buf *b, struct err *err);

/*
 * The next line of @file without its newline, in a buffer that grows (getline(3)); the caller frees
 * it in the end. False at the end of file and on an error.
 */
static inline bool file_line(FILE *file, char **line, size_t *size)
{
	ssize_t n = getline(line, size, file);

	if (n > 0 && (*line)[n - 1] == '\n')
		(*line)[n - 1] = '\0';
	return n > 0;
}

/* Opens @name below @dirfd (AT_FDCWD allowed), reads it whole. ENOENT gives ERR_NOT_FOUND. */
MUST_CHECK int file_read(int dirfd, const char *name, struct buf *b, struct err *err);

/*
 * Reads the regular file @name below @dirfd whole into @b. Never blocks: a FIFO or device in its
 * place is ERR_INVALID. ENOENT gives ERR_NOT_FOUND.
 */
MUST_CHECK int file_read_regular(int dirfd, const char *name, struct buf *b, struct err *err);

/*
 * Writes @name below @dirfd so that a reader sees the old or the new contents whole: temporary name
 * in the same directory, then rename. The temporary file is removed on failure.
 */
MUST_CHECK int file_replace(int dirfd, const char *name, mode_t mode, const void *bytes, size_t n,
			    struct err *err);

/* A pipe with both ends close-on-exec; @flags adds O_NONBLOCK and the like. */
MUST_CHECK int fd_pipe(int *ret_read, int *ret_write, int flags, struct err *err);

/* Creates @path and its parents (mkdir -p); an existing directory is fine. */
MUST_CHECK int dir_make(const char *path, mode_t mode, struct err *err);

/*
 * Locks the file that @fd is open on (flock(2), exclusively). Waits at most @bound_ms, because the
 * process that has the lock may hang. -1 and errno; EWOULDBLOCK when the lock never became free.
 */
MUST_CHECK int fd_lock(int fd, unsigned int bound_ms);
