/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/base/mem.h"

/*
 * Memory that is freed all at once: everything decoded from one request lives in one. An all-zero
 * arena is empty and valid. Nothing that outlives the request may point into it.
 */
struct arena_chunk;
struct arena {
	struct arena_chunk *chunks;
	size_t total, max; /* bytes handed out; max 0 means no limit */
};

#define CLEANUP_ARENA CLEANUP(arena_deinit)

/* @n bytes, zeroed and aligned for any type; NULL without memory or beyond max. */
void *arena_alloc(struct arena *a, size_t n);

/* A copy of @s, or NULL. */
char *arena_strdup(struct arena *a, const char *s);

/* Frees everything; the arena is empty and usable again. */
void arena_deinit(struct arena *a);
