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

/* What containerd knows about a snapshot; all of it lives in an arena. */
struct snapshot_label {
	const char *key, *value;
};

struct snapshot_info {
	const char *parent; /* "" without one */
	const struct snapshot_label *labels;
	size_t n_labels;
};

MUST_CHECK int snapshot_stat(struct rpc *rpc, const char *snapshotter, const char *key,
			     struct arena *arena, struct snapshot_info *ret, struct err *err);

/*
 * Makes the writable snapshot @key on info->parent with those labels; the mounts live in @arena.
 * ERR_NOT_FOUND when the parent is not there, ERR_EXISTS when @key is.
 */
MUST_CHECK int snapshot_prepare(struct rpc *rpc, const char *snapshotter, const char *key,
				const struct snapshot_info *info, struct arena *arena,
				struct prepare_mount **ret, size_t *ret_n, struct err *err);

/* The mounts of a snapshot that is there, in @arena. */
MUST_CHECK int snapshot_mounts(struct rpc *rpc, const char *snapshotter, const char *key,
			       struct arena *arena, struct prepare_mount **ret, size_t *ret_n,
			       struct err *err);

MUST_CHECK int snapshot_remove(struct rpc *rpc, const char *snapshotter, const char *key,
			       struct err *err);
