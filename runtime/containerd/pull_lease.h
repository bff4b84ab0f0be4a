/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/containerd/rpc.h"

/*
 * The lease under which an image is pulled. CRI adopts the lease of its caller, and then what a
 * pull has fetched outlives it: the next try under the same lease goes on where an interrupted one
 * stopped. Its name is made of the digest and of the half day, so that all who pull an image within
 * it share one lease; it expires with the half day after, and containerd throws away what is
 * unfinished.
 */

/* From now on @rpc uses the lease for @digest, which is made where there is none. */
MUST_CHECK int pull_lease_take(struct rpc *rpc, const char *digest, struct err *err);

/* Ends it, and that of the half day before: for when the image is there, or is not wanted. */
MUST_CHECK int pull_lease_end(struct rpc *rpc, const char *digest, struct err *err);

/* The same for what must not be gone on with: it is thrown away now. */
MUST_CHECK int pull_lease_drop(struct rpc *rpc, const char *digest, struct err *err);

/* From now on @rpc does not use it. It stays for the next try, unless it keeps nothing. */
void pull_lease_leave(struct rpc *rpc, const char *digest);
