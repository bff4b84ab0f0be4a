/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * SHA-256 as FIPS 180-4 defines it. Image layers are named by it: a chain ID is the digest of the
 * digests below it. The state is a plain value without ownership; copying it forks the stream.
 */
struct sha256 {
	uint32_t h[8];
	uint64_t n; /* bytes taken so far */
	uint8_t block[64];
};

/* An empty stream. */
void sha256_init(struct sha256 *s);

/* Appends @n bytes. */
void sha256_add(struct sha256 *s, const void *bytes, size_t n);

/* The digest of everything added; the stream must be initialised again before another use. */
void sha256_end(struct sha256 *s, uint8_t ret_digest[static 32]);

/* The digest of @n bytes in one call. */
void sha256(const void *bytes, size_t n, uint8_t ret_digest[static 32]);

/* The same in lower-case hexadecimal, terminated. */
void sha256_hex(const void *bytes, size_t n, char ret[static 65]);
