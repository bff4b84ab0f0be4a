/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/base/arena.h"
#include "runtime/containerd/rpc.h"

/*
 * The names of containerd's namespaces (its namespaces service), in @arena, NULL-terminated. @rpc
 * may be of any namespace, or of none.
 */
MUST_CHECK int namespaces_list(struct rpc *rpc, struct arena *arena, const char *const **ret,
			       struct err *err);
