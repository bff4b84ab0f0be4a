/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/err.h"
#include "runtime/containerd/chain_id.h"
#include "runtime/containerd/rpc.h"

/*
 * CRI's own image service, on containerd's socket: what it pulls is pulled as for the kubelet, with
 * the node's mirrors, proxies, registry settings and snapshotter, and belongs to CRI afterwards. A
 * reference to a single manifest is taken whatever its platform is, in all versions of containerd
 * (Image.Manifest() in its source applies the platform to indexes only).
 */

struct pull_request {
	const char *image;   /* the full reference */
	const char *handler; /* of the runtime class, for a snapshotter of its own; NULL without */
	const char *username, *password; /* NULL: what containerd's own configuration has */
};

/* Starts a pull; how it goes on is in rpc.h. The answer is for pull_finish(). */
MUST_CHECK int pull_begin(struct rpc *rpc, const struct pull_request *request,
			  struct rpc_pending **ret, struct err *err);

/*
 * Waits for its end and takes it; @ret is the digest of the image's configuration. Whatever code
 * containerd gives for a pull that failed (FailedPrecondition for wrong bytes), it is ERR_IO, or
 * ERR_TIMEOUT when the time was over: the text tells why (pull_failure.h).
 */
MUST_CHECK int pull_finish(struct rpc_pending *take, char ret[static DIGEST_MAX], struct err *err);

/*
 * Whether CRI has @image, pulled to its end: then *ret_size is the size of its compressed layers in
 * bytes, and @ret the digest of its configuration.
 */
MUST_CHECK int image_status(struct rpc *rpc, const char *image, bool *ret_here,
			    char ret[static DIGEST_MAX], uint64_t *ret_size, struct err *err);
