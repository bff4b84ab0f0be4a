/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

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
	bool host_network, host_ipc, host_pid;
	bool user;	/* the containers are in a user namespace of the pod's */
	uid_t root_uid; /* what its root is on the node; 0 without */
	gid_t root_gid;
};

/*
 * Decodes the options of CreateSandbox, runtime.v1.PodSandboxConfig. Results live in @arena.
 * Nothing at all is a pod with namespaces of its own, as `ctr` makes one. ERR_INVALID if it does
 * not decode, is something else, or has text that would be more than one line in a file.
 */
MUST_CHECK int pod_config_read(const Crossarch__Any *options, struct arena *arena,
			       struct pod_config *ret, struct err *err);
