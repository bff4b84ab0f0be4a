/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/containerd/snapshots.h"

/*
 * The mounts that show the container's snapshot @key and cannot change it, also while the container
 * runs; all of them live in @arena. Nothing is made in containerd. ERR_NOT_FOUND when the snapshot
 * is gone.
 */
MUST_CHECK int snapshot_look(struct rpc *rpc, const char *snapshotter, const char *key,
			     struct arena *arena, struct prepare_mount **ret, size_t *ret_n,
			     struct err *err);
