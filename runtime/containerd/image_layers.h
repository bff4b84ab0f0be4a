/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "runtime/base/err.h"
#include "runtime/containerd/chain_id.h"

/* The layers of one image: the blobs its manifest names, with what they hold by its configuration.
 */
#define LAYERS_MAX 1024

struct image_layer {
	char media_type[128];
	char digest[DIGEST_MAX];  /* of the blob, mostly compressed */
	char diff_id[DIGEST_MAX]; /* of the archive in it */
	int64_t size;		  /* of the blob in bytes */
};

struct image_layers {
	struct image_layer *list; /* lowest first; owned */
	size_t n;
};

#define CLEANUP_LAYERS CLEANUP(image_layers_deinit)
void image_layers_deinit(struct image_layers *l);

/*
 * Reads both documents, which whoever built the image wrote: ERR_INVALID when they are not what
 * they should be or do not agree, ERR_LIMIT beyond LAYERS_MAX.
 */
MUST_CHECK int image_layers_parse(const void *manifest, size_t n_manifest, const void *config,
				  size_t n_config, struct image_layers *ret, struct err *err);
