/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Ownership at the declaration. A variable with a CLEANUP_ attribute is released on every way out
 * of its scope; steal() and fd_steal() hand it on. Initialise such variables where they are
 * declared.
 */

static inline void cleanup_free_(void *p)
{
	free(*(void **)p);
}

/* close() is called once, whatever it returns: on Linux the descriptor is gone even after EINTR. */
static inline void cleanup_fd_(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_file_(FILE *const *file)
{
	if (*file)
		fclose(*file);
}

#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define CLEANUP_FREE CLEANUP(cleanup_free_)
#define CLEANUP_FD CLEANUP(cleanup_fd_)
#define CLEANUP_FILE CLEANUP(cleanup_file_)

/* Takes a pointer out of a variable, leaving NULL. */
#define steal(p)                             \
	({                                   \
		__typeof__(p) stolen_ = (p); \
		(p) = NULL;                  \
		stolen_;                     \
	})

/* Takes a descriptor out of a variable, leaving -1. */
static inline int fd_steal(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Closes and forgets; -1 is fine. */
static inline void fd_close(int *fd)
{
	cleanup_fd_(fd);
	*fd = -1;
}

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* A broken invariant is a bug: always compiled in. */
#define ASSERT(cond)             \
	do {                     \
		if (!(cond))     \
			abort(); \
	} while (0)
