/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/base/arena.h"
#include "runtime/containerd/rpc.h"
#include "runtime/prepare/request.h"

/* Looking into an unpacked image through a temporary view of its snapshot. */

/*
 * Makes the view @key of the committed snapshot @parent; the mounts that show it live in @arena.
 * ERR_NOT_FOUND when the image is not unpacked. The caller removes the view with snapshot_remove();
 * should it die first, containerd's garbage collection does, for nothing refers to it.
 */
MUST_CHECK int snapshot_view(struct rpc *rpc, const char *snapshotter, const char *key,
			     const char *parent, struct arena *arena, struct prepare_mount **ret,
			     size_t *ret_n, struct err *err);

MUST_CHECK int snapshot_remove(struct rpc *rpc, const char *snapshotter, const char *key,
			       struct err *err);
