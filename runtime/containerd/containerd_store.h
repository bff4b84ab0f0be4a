/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/containerd/blob_cache.h"
#include "runtime/containerd/image_store.h"
#include "runtime/containerd/rpc.h"

/* containerd as an image store. Lookups are in the namespace @rpc was opened with. */
struct containerd_store {
	struct image_store store;
	struct rpc *rpc;	  /* not owned */
	struct blob_cache *cache; /* not owned; NULL: every blob is read anew */
};

void containerd_store_init(struct containerd_store *c, struct rpc *rpc);

/* containerd's version ("1.6.20~ds1"), in @arena. */
MUST_CHECK int containerd_version(struct rpc *rpc, struct arena *arena, const char **ret,
				  struct err *err);

/* Whether its CRI answers as well, which comes up last. ERR_UNSUPPORTED where it has none. */
MUST_CHECK int containerd_cri_answers(struct rpc *rpc, struct arena *arena, struct err *err);
