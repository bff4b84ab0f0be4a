/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/base/arena.h"
#include "runtime/containerd/lease.h"
#include "runtime/containerd/rpc.h"
#include "runtime/prepare/request.h"

/* Looking into an image through temporary snapshots, which a lease keeps together. */

/*
 * Removes the snapshots under the lease @id, those with the greater names first: children are named
 * after their parents. One that is gone already is no error.
 */
MUST_CHECK int lease_empty(struct rpc *rpc, const char *id, struct err *err);

/*
 * Makes the view @key of the committed snapshot @parent; the mounts that show it live in @arena.
 * ERR_NOT_FOUND when the image is not unpacked. The caller removes it with snapshot_remove().
 */
MUST_CHECK int snapshot_view(struct rpc *rpc, const char *snapshotter, const char *key,
			     const char *parent, struct arena *arena, struct prepare_mount **ret,
			     size_t *ret_n, struct err *err);

MUST_CHECK int snapshot_remove(struct rpc *rpc, const char *snapshotter, const char *key,
			       struct err *err);
