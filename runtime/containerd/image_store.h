/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/err.h"

/*
 * Where images and containers are recorded: containerd in real life (containerd_store.h), a table
 * in tests. Strings handed out live in the arena of the call. Every function gives ERR_NOT_FOUND
 * for an object that does not exist.
 */

/* No image configuration or manifest is near this; what is larger is refused with ERR_LIMIT. */
#define BLOB_MAX (4u << 20)

struct container_record {
	const char *image; /* name of an image, "" when none is recorded */
	const char *snapshotter, *snapshot_key;
	const char *metadata; /* JSON text the CRI plugin attached, NULL without one */
	const char *sandbox;  /* and what it attached to a sandbox, NULL without one */
	const char *spec;     /* the OCI specification as JSON text, NULL without one */
	const char *spec_type;
};

struct image_descriptor {
	const char *media_type, *digest;
};

struct image_named {
	const char *name;
	struct image_descriptor target;
};

struct image_store {
	int (*container)(struct image_store *store, const char *id, struct arena *arena,
			 struct container_record *ret, struct err *err);
	int (*image)(struct image_store *store, const char *name, struct arena *arena,
		     struct image_descriptor *ret, struct err *err);
	/* Reads a whole blob into the empty @ret, at most up to its maximum (ERR_LIMIT). */
	int (*blob)(struct image_store *store, const char *digest, struct buf *ret,
		    struct err *err);
	/* The snapshot a container's own snapshot was made from; "" when it has none. */
	int (*snapshot_parent)(struct image_store *store, const char *snapshotter, const char *key,
			       struct arena *arena, const char **ret, struct err *err);
	/* Every image that has a name, in no order. */
	int (*images)(struct image_store *store, struct arena *arena, struct image_named **ret,
		      size_t *ret_n, struct err *err);
	/* What a blob was pulled from, HOST/REPOSITORY without a port, a NULL at the end; none
	 * when it was imported. */
	int (*sources)(struct image_store *store, const char *digest, struct arena *arena,
		       const char *const **ret, struct err *err);
};
