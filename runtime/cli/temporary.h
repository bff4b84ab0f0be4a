/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "runtime/base/err.h"

/*
 * Where what is made for a moment lies: below TMPDIR if that is an absolute path, else below /tmp.
 */
const char *temporary_place(void);

/*
 * Makes a directory there that is only ours, called after what it is for (@what) and our process
 * id, and opens it.
 */
MUST_CHECK int temporary_make(const char *what, char ret_path[static PATH_MAX], int *ret_fd,
			      struct err *err);

/*
 * Gives @remove each such directory of the process @pid, open; @fd is then its own. Anybody may
 * make directories of such names: those of other users are passed over.
 */
void temporary_sweep(const char *what, pid_t pid, void (*remove)(const char *path, int fd));

/* A file there without a name. */
MUST_CHECK int temporary_file(int *ret_fd, struct err *err);

/* How much of a file system may be taken. */
struct room {
	int64_t bytes, files;
};

/*
 * What is free where @fd is, but for a tenth of it: an archive that holds more than it looks like
 * must not stop everybody else who writes there.
 */
MUST_CHECK int room_of(int fd, struct room *ret, struct err *err);

/* Takes @n bytes, or a file, of it. ERR_LIMIT when there is no more, with what to do. */
MUST_CHECK int room_take(struct room *room, int64_t n, struct err *err);
MUST_CHECK int room_take_file(struct room *room, struct err *err);
