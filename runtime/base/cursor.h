/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A bounded reader over bytes somebody else wrote. A read past the end sets `bad`, moves nothing
 * and gives 0, and every later read gives 0 too: check `bad` once, at the end of a structure.
 */
struct cursor {
	const uint8_t *p;
	size_t left;
	bool bad;
};

static inline struct cursor cursor_of(const void *bytes, size_t n)
{
	return (struct cursor){ .p = bytes, .left = n };
}

/* The next @n bytes, or NULL (and `bad`). They stay owned by whoever owns the input. */
static inline const uint8_t *cur_bytes(struct cursor *c, size_t n)
{
	const uint8_t *at = c->p;

	if (c->bad || n > c->left) {
		c->bad = true;
		return NULL;
	}
	c->p += n;
	c->left -= n;
	return at;
}

static inline void cur_skip(struct cursor *c, size_t n)
{
	(void)cur_bytes(c, n);
}

/* An unsigned integer of @n (1 to 8) bytes, most significant first if @big. */
static inline uint64_t cur_uint(struct cursor *c, unsigned int n, bool big)
{
	const uint8_t *b = cur_bytes(c, n);
	uint64_t v = 0;

	if (!b)
		return 0;
	for (unsigned int i = 0; i < n; i++)
		v |= (uint64_t)b[i] << (8 * (big ? n - 1 - i : i));
	return v;
}

static inline uint8_t cur_u8(struct cursor *c)
{
	return (uint8_t)cur_uint(c, 1, true);
}

static inline uint32_t cur_be32(struct cursor *c)
{
	return (uint32_t)cur_uint(c, 4, true);
}
