/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/base/err.h"
#include "runtime/containerd/image_json.h"
#include "runtime/containerd/image_store.h"

/* Which platform an image says it was built for, and which image of a multi-platform one it is. */
struct image_platform {
	char platform[PLATFORM_MAX]; /* "linux/arm64/v8" */
	char image[512];	     /* the name it was found under, cut to fit */
	char ref[DIGEST_MAX];	     /* digest of its configuration blob */
};

/*
 * The image container @id was made from: by CRI's own record if there is one, else by comparing
 * the layers of every manifest its image name leads to with the snapshot the container stands on.
 * ERR_NOT_FOUND when that cannot be told, ERR_LIMIT for images beyond our bounds.
 */
MUST_CHECK int image_platform_of_container(struct image_store *store, const char *id,
					   struct image_platform *ret, struct err *err);

/*
 * The images a name leads to whose manifest and configuration are on this node, at most
 * MANIFESTS_MAX in @ret. ERR_NOT_FOUND when there is none.
 */
MUST_CHECK int image_platforms_of_name(struct image_store *store, const char *name,
				       struct image_platform *ret, size_t *ret_n, struct err *err);
