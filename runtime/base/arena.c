/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/arena.h"

#include <stdint.h>
#include <string.h>

#define CHUNK_BYTES 2000

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	max_align_t bytes[];
};

static struct arena_chunk *chunk_new(struct arena *a, size_t n)
{
	size_t size = n > CHUNK_BYTES ? n : CHUNK_BYTES;
	struct arena_chunk *c = malloc(sizeof(*c) + size);

	if (!c)
		return NULL;
	c->used = 0;
	c->size = size;
	c->next = a->chunks;
	a->chunks = c;
	return c;
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct arena_chunk *c = a->chunks;
	void *p;

	if (n > SIZE_MAX / 2)
		return NULL;
	n = (n + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (a->max && (n > a->max || a->total > a->max - n))
		return NULL;
	if (!c || c->size - c->used < n)
		c = chunk_new(a, n);
	if (!c)
		return NULL;
	p = (char *)c->bytes + c->used;
	c->used += n;
	a->total += n;
	return memset(p, 0, n);
}

char *arena_strdup(struct arena *a, const char *s)
{
	size_t n = strlen(s) + 1;
	char *copy = arena_alloc(a, n);

	return copy ? memcpy(copy, s, n) : NULL;
}

void arena_deinit(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *c = a->chunks;

		a->chunks = c->next;
		free(c);
	}
	a->total = 0;
}
