/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/err.h"
#include "runtime/pause/pod_namespaces.h"

#define POD_SYSCTL_MAX 512

/*
 * The place below /proc/sys of the kernel parameter @name, "net.core.somaxconn" or
 * "net/core/somaxconn"; its first separator says which form it is, and in the form with dots a
 * slash is a dot of the name (sysctl.d(5)). False for one that is not of the namespaces @n alone:
 * what is of the network, of System V IPC and message queues, and the NIS domain name are
 * (namespaces(7); the same as runc allows).
 */
bool pod_sysctl_path(const char *name, const struct pod_namespaces *n, char ret[POD_SYSCTL_MAX]);

/* Sets it in the namespaces of this process, which are @n. ERR_INVALID also if it is not theirs. */
MUST_CHECK int pod_sysctl_set(const char *name, const char *value, const struct pod_namespaces *n,
			      struct err *err);
