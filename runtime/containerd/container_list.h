/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "runtime/base/arena.h"
#include "runtime/containerd/rpc.h"

/* A container as containerd has recorded it, whatever its runtime is and whether or not it runs. */
struct container_entry {
	const char *id;
	const char *image;		    /* "" when none is recorded */
	const char *runtime;		    /* "io.containerd.runc.v2" */
	const char *snapshotter, *snapshot; /* name and key; "" without one */
	const char *spec;		    /* the OCI specification as JSON, NULL without one */
	const char *name;		    /* that nerdctl gave it, "" without one */
	int64_t created;		    /* seconds since 1970 */
	int32_t created_ns;		    /* and nanoseconds */
};

/*
 * All containers of the namespace @rpc was opened with (containers service, ListStream); everything
 * lives in @arena.
 */
MUST_CHECK int container_list(struct rpc *rpc, struct arena *arena, struct container_entry **ret,
			      size_t *ret_n, struct err *err);
