/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/base/arena.h"
#include "runtime/containerd/rpc.h"

/* Leases of containerd: what was made under one stays until it ends (containerd's leases service).
 */

/*
 * Takes the lease @id, under which all that is made is safe from containerd's garbage collection;
 * all later calls of @rpc use it. ERR_EXISTS when there is one of that name. It ends with
 * lease_end(), or by itself after @seconds should we die first.
 */
MUST_CHECK int lease_begin(struct rpc *rpc, const char *id, unsigned int seconds, struct err *err);
MUST_CHECK int lease_end(struct rpc *rpc, const char *id, struct err *err);

/*
 * Ends it, and waits until containerd has thrown away what nothing keeps now. Otherwise that
 * happens some time later, and until then a pull goes on with the bytes that an earlier one left.
 */
MUST_CHECK int lease_drop(struct rpc *rpc, const char *id, struct err *err);

/*
 * A thing that a lease keeps. @type is "content" for a blob, whose digest is then @id, "ingests"
 * for one that is being written, and "snapshots/SNAPSHOTTER" for a snapshot.
 */
struct lease_resource {
	const char *id, *type;
};

/* What the lease @id keeps; all of it lives in @arena. ERR_NOT_FOUND without such a lease. */
MUST_CHECK int lease_list(struct rpc *rpc, const char *id, struct arena *arena,
			  struct lease_resource **ret, size_t *ret_n, struct err *err);
