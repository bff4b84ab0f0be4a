/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/containerd/image_layers.h"
#include "runtime/containerd/rpc.h"

/*
 * Unpacks @layers, the way a pull does, into committed snapshots of our own: named after @prefix,
 * under the lease that @rpc uses, and on nobody else's, so that no pull finds or needs them.
 * @ret_top gets the name of the last one. The daemon extracts; each layer may take UNPACK_MS. What
 * was made stays, also on failure, until lease_empty() takes it away (snapshots.h).
 *
 * ERR_NOT_FOUND: a layer is not on this node. ERR_INVALID: one holds something else than the image
 * says.
 */
#define UNPACK_MS 600000

MUST_CHECK int unpack_layers(struct rpc *rpc, const char *snapshotter, const char *prefix,
			     const struct image_layers *layers, char *ret_top, size_t size,
			     struct err *err);

/*
 * Unpacks an image whose blobs are all on this node, as after an import of all platforms, into
 * snapshots as a pull leaves them: each is named by its chain ID, and what keeps the configuration
 * @config keeps the last one. One that is there already is taken as it is, so that what is
 * interrupted goes on with the layer it was at. @on_wait is told several times a second and returns
 * whether to go on (ERR_TIMEOUT when not). Other errors as above.
 */
typedef bool unpack_on_wait(void *ctx);
MUST_CHECK int unpack_image(struct rpc *rpc, const char *snapshotter, const char *config,
			    const struct image_layers *layers, unpack_on_wait *on_wait, void *ctx,
			    struct err *err);
