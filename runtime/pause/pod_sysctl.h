/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/err.h"

/*
 * Sets the kernel parameter @name, "net.core.somaxconn" or "net/core/somaxconn", in the namespaces
 * of this process. ERR_INVALID for one that is not the pod's: of the network without @net, of
 * System V IPC and message queues without @ipc, and all others (sysctl.d(5), namespaces(7); the
 * same as runc allows).
 */
MUST_CHECK int pod_sysctl_set(const char *name, const char *value, bool net, bool ipc,
			      struct err *err);
