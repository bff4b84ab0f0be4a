/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/containerd/image_store.h"
#include "runtime/containerd/snapshots.h"

/*
 * Puts the container's snapshot on other layers: one on @chain takes its place, of the same key and
 * labels, so that for CRI, which removes it with the container and measures it, it is the same. Its
 * mounts, in @arena, take the place of the old one's in @mounts. Nothing has been written to the
 * old one: the container was never started. Doing it again does nothing. ERR_UNSUPPORTED where it
 * cannot be done: the labels or the name bind the old one to its layers, or the mounts are of a
 * kind that we cannot mount.
 *
 * Killed in the middle there is no snapshot; the container then cannot be started, but removed
 * (seen with containerd 1.6 to 2.1).
 */
struct rootfs_mounts {
	struct prepare_mount *list;
	size_t n;
};

MUST_CHECK int container_snapshot_swap(struct rpc *rpc, const struct container_record *c,
				       const char *chain, struct arena *arena,
				       struct rootfs_mounts *mounts, struct err *err);
