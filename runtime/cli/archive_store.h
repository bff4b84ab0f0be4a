/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/arena.h"
#include "runtime/cli/archive_file.h"
#include "runtime/containerd/image_store.h"

/*
 * The images of an OCI image layout, in an archive or a directory, or of what "docker save" wrote
 * before it wrote such a layout: a store of blobs by their digests, and what the names lead to.
 */
struct archive_store {
	struct image_store store;	 /* only `blob` and `images` are there */
	const struct archive_file *file; /* not owned */
	struct arena *arena;		 /* the caller's: names and digests live there */
	struct image_named *names;	 /* those of images without a name are their digests */
	size_t n;
	void *extras; /* by digest: tsearch(3) */
	size_t n_extras;
};

#define CLEANUP_ARCHIVE_STORE CLEANUP(archive_store_deinit)
void archive_store_deinit(struct archive_store *s);

/* ERR_INVALID when it is neither of both, or has no image. */
MUST_CHECK int archive_store_open(const struct archive_file *f, struct arena *arena,
				  struct archive_store *ret, struct err *err);

/* The file that holds the blob @digest, into @ret. */
MUST_CHECK int archive_store_place(const struct archive_store *s, const char *digest, char *ret,
				   size_t size, struct err *err);
