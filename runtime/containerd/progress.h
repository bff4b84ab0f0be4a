/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "runtime/base/err.h"
#include "runtime/containerd/image_layers.h"
#include "runtime/containerd/rpc.h"

/* How much of an image's layers has arrived, in bytes as they are transferred. */
struct progress {
	int64_t have, total;
};

/*
 * Asks containerd which of @layers are whole and how much there is of those it is writing. A pull
 * names what it writes "layer-sha256:..." (containerd's remotes.MakeRefKey()).
 */
MUST_CHECK int progress_read(struct rpc *rpc, const struct image_layers *layers,
			     struct progress *ret, struct err *err);
