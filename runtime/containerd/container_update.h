/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/containerd/rpc.h"

/*
 * Replaces the OCI specification in containerd's record of the container @id by the JSON text
 * @spec, and nothing else. CRI takes from there what an exec's process begins with, and what it
 * shows of a container. @type is the specification's type as the record had it
 * (containerd's api/services/containers/v1, UpdateContainerRequest).
 */
MUST_CHECK int container_update_spec(struct rpc *rpc, const char *id, const char *type,
				     const char *spec, size_t n, struct err *err);
