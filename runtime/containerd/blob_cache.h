/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/containerd/image_store.h"

/*
 * An image store that asks another one, and for each blob only once: a blob is named by its digest
 * and never changes. One that was not there is asked for again.
 */
#define BLOB_CACHE_MAX 64

struct blob_cache {
	struct image_store store;
	struct image_store *under; /* not owned */
	struct {
		char *digest; /* owned */
		struct buf bytes;
	} blobs[BLOB_CACHE_MAX];
	size_t n;
};

#define CLEANUP_BLOB_CACHE CLEANUP(blob_cache_deinit)
void blob_cache_init(struct blob_cache *c, struct image_store *under);
void blob_cache_deinit(struct blob_cache *c);
