/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/buf.h"

/* Blobs that were read, so that each is asked for once: its digest is its name, and it never
 * changes. All zero is empty. */
#define BLOB_CACHE_MAX 64

struct blob_cache {
	struct {
		char *digest; /* owned */
		struct buf bytes;
	} blobs[BLOB_CACHE_MAX];
	size_t n;
};

#define CLEANUP_BLOB_CACHE CLEANUP(blob_cache_deinit)
void blob_cache_deinit(struct blob_cache *c);

/* Its bytes, which stay the cache's; NULL when it has none of that digest. */
const struct buf *blob_cache_find(const struct blob_cache *c, const char *digest);

/* Keeps a copy, if there is memory, and room in the table. */
void blob_cache_keep(struct blob_cache *c, const char *digest, const struct buf *bytes);
