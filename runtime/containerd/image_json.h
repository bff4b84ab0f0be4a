/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/base/err.h"
#include "runtime/containerd/chain_id.h"

/*
 * Reading the JSON documents of an image. They are written by whoever built the image: every field
 * is checked before it is used, and what cannot be right is ERR_INVALID.
 */

/* The most manifests one image may lead to. */
#define MANIFESTS_MAX 256

/* "linux/arm64/v8" */
#define PLATFORM_MAX 64

struct image_config {
	char platform[PLATFORM_MAX];
	char chain[DIGEST_MAX]; /* chain ID of its layers, "" when there are none */
};

/* The configuration blob: architecture, os, variant, rootfs.diff_ids. */
MUST_CHECK int image_config_parse(const void *bytes, size_t n, struct image_config *ret,
				  struct err *err);

/* The digest of the configuration blob that a manifest names. */
MUST_CHECK int image_manifest_parse(const void *bytes, size_t n, char ret_config[static DIGEST_MAX],
				    struct err *err);

enum manifest_kind { MANIFEST_IMAGE, MANIFEST_INDEX, MANIFEST_OTHER };

/* What a descriptor of this media type points at (OCI and Docker spellings). */
enum manifest_kind manifest_kind_of(const char *media_type);

struct manifest_ref {
	enum manifest_kind kind;
	char digest[DIGEST_MAX];
	char platform[PLATFORM_MAX]; /* as the index says, "" when it does not */
};

/*
 * Appends what an index names to @list of *@n_list entries with room for MANIFESTS_MAX in all;
 * entries of unknown media types, and attestations, are left out. ERR_LIMIT when there are more.
 */
MUST_CHECK int image_index_parse(const void *bytes, size_t n, struct manifest_ref *list,
				 size_t *n_list, struct err *err);

/*
 * CRI's record of a container: the digest of the image's configuration ("ImageRef"). ERR_NOT_FOUND
 * when the record has none.
 */
MUST_CHECK int cri_image_ref_parse(const void *bytes, size_t n, char ret_ref[static DIGEST_MAX],
				   struct err *err);
