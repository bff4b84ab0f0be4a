/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/containerd/name_set.h"
#include "runtime/containerd/rpc.h"

/*
 * What the namespace of @rpc has, in one call each and not one for every question: the digests of
 * all blobs (content service, List), and the names of all snapshots of @snapshotter (snapshots
 * service, List). Names live in the set's arena. A snapshotter that there is not has none.
 */
MUST_CHECK int blobs_here(struct rpc *rpc, struct name_set *ret, struct err *err);
MUST_CHECK int snapshots_here(struct rpc *rpc, const char *snapshotter, struct name_set *ret,
			      struct err *err);
