/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/blob_cache.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/str.h"

void blob_cache_deinit(struct blob_cache *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->blobs[i].digest);
		buf_deinit(&c->blobs[i].bytes);
	}
	c->n = 0;
}

const struct buf *blob_cache_find(const struct blob_cache *c, const char *digest)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->blobs[i].digest, digest))
			return &c->blobs[i].bytes;
	return NULL;
}

void blob_cache_keep(struct blob_cache *c, const char *digest, const struct buf *bytes)
{
	CLEANUP_BUF struct buf copy = BUF_INIT(bytes->max);
	struct err ignored;
	char *name;

	if (c->n == BLOB_CACHE_MAX || buf_add(&copy, bytes->data, bytes->len, &ignored) < 0)
		return;
	name = strdup(digest);
	if (!name)
		return;
	c->blobs[c->n].digest = name;
	c->blobs[c->n++].bytes = copy;
	copy = (struct buf)BUF_INIT(0);
}
