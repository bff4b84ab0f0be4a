/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/err.h"
#include "runtime/containerd/image_members.h"
#include "runtime/containerd/image_service.h"
#include "runtime/containerd/image_store.h"

/*
 * Asks the registry what @request->image has, through CRI and so with all of the node's settings.
 * CRI can only pull; the pull is watched under a lease of its own and cancelled once its index is
 * there, or for an image of one platform its configuration. A pull that fails for want of the
 * node's platform has brought the index as well. What it fetched is left to containerd to throw
 * away; an image so small that it was pulled to its end before that stays, like any.
 */
MUST_CHECK int index_fetch(struct rpc *rpc, struct image_store *store,
			   const struct pull_request *request, struct image_members *ret,
			   struct err *err);
