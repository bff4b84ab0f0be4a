/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "proto/any.pb-c.h"
#include "proto/sandbox.pb-c.h"
#include "runtime/base/arena.h"
#include "runtime/base/err.h"

/* What the CRI asks of a pod's sandbox. Strings are never NULL. */
struct pod_config {
	const char *hostname; /* "": the node's */
	const char *cgroup_parent;
	const Crossarch__PodDns *dns; /* NULL: the node's */
	Crossarch__PodSysctl **sysctls;
	size_t n_sysctls;
	bool host_network, host_ipc;
	bool shared_pid; /* the pod's containers share one PID namespace */
	bool user;	 /* they are in a user namespace of the pod's */
};

/*
 * Decodes the options of CreateSandbox, runtime.v1.PodSandboxConfig. Results live in @arena.
 * Nothing at all is a pod with namespaces of its own, as `ctr` makes one. ERR_INVALID if it does
 * not decode or is something else.
 */
MUST_CHECK int pod_config_read(const Crossarch__Any *options, struct arena *arena,
			       struct pod_config *ret, struct err *err);
