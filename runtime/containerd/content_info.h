/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "proto/containerd.pb-c.h"
#include "runtime/containerd/rpc.h"

/* What containerd knows of a blob, in @arena. ERR_NOT_FOUND when it is not here. */
MUST_CHECK int content_info(struct rpc *rpc, const char *digest, struct arena *arena,
			    const Containerd__ContentInfo **ret, struct err *err);
