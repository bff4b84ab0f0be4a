/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/arena.h"
#include "runtime/containerd/rpc.h"

/* What CRI says of a container to the kubelet (runtime.v1.RuntimeService). */
struct cri_status {
	bool exited;
	int64_t finished;    /* seconds since 1970, 0: it did not */
	int32_t exit_status; /* of one that exited */
	/* "StartError" and the runtime's words, or "" */
	const char *reason, *message;
	const char *log; /* path of the file with its output, "" without one */
	const char *ref; /* digest of the image's configuration, or a name of the image */
};

/*
 * Everything lives in @arena. ERR_NOT_FOUND when CRI has no such container, ERR_UNSUPPORTED when
 * there is no CRI on the socket.
 */
MUST_CHECK int cri_status_of(struct rpc *rpc, const char *id, struct arena *arena,
			     struct cri_status *ret, struct err *err);
