/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/base/err.h"
#include "runtime/containerd/image_json.h"
#include "runtime/containerd/image_store.h"

/* What an image name leads to: one platform, or an index of several, not all of which are here. */
struct image_member {
	char platform[PLATFORM_MAX]; /* what a pull goes by: the index, else the configuration */
	char declared[PLATFORM_MAX]; /* as the configuration says, "" when it is not here */
	char manifest[DIGEST_MAX];
	bool here;		/* manifest and configuration are on this node */
	char ref[DIGEST_MAX];	/* digest of the configuration */
	char chain[DIGEST_MAX]; /* chain ID of the layers */
	char damage[160];	/* it is on this node and cannot be read: why; "" otherwise */
};

struct image_members {
	bool index;		   /* the name is that of an index */
	struct image_member *list; /* owned */
	size_t n;
	char digest[DIGEST_MAX]; /* of that index, or of the one manifest */
};

#define CLEANUP_MEMBERS CLEANUP(image_members_deinit)
void image_members_deinit(struct image_members *m);

/*
 * Lists the platforms of @name; attestations, which are nobody's platform, are left out. Errors of
 * the name itself are errors; a member that cannot be read is one that is not here. An index within
 * the index that is damaged is a member of no platform.
 */
MUST_CHECK int image_members_read(struct image_store *store, const char *name,
				  struct image_members *ret, struct err *err);

/* The same of what an image's record leads to. */
MUST_CHECK int image_members_of(struct image_store *store, const struct image_descriptor *root,
				struct image_members *ret, struct err *err);

/*
 * The same of an index or manifest by its digest, whether or not an image record leads to it.
 * ERR_NOT_FOUND when it is not here, ERR_INVALID when it is neither.
 */
MUST_CHECK int image_members_of_digest(struct image_store *store, const char *digest,
				       struct image_members *ret, struct err *err);
