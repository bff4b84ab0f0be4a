/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/err.h"

/* The namespaces of a pod, as its sandbox holds them for the containers to join. */
struct pod_namespaces {
	const char *net;      /* path of the network namespace; NULL: none is given */
	bool new_net;	      /* one of its own, in which nothing is set up */
	bool uts;	      /* a UTS namespace of its own */
	const char *hostname; /* its name; NULL: as the node */
	bool ipc;	      /* an IPC namespace of its own */
	bool pid;	      /* the next process that is forked begins a PID namespace */
	bool user;	      /* the user namespace that owns @net, and root there */
};

/*
 * Enters or makes them, and a mount namespace whose root is an empty file system that cannot be
 * written to: a container that shares its process ids with the sandbox sees /proc/1/root.
 * @before_root runs while the node's files are still there.
 */
MUST_CHECK int pod_namespaces_make(const struct pod_namespaces *n,
				   int (*before_root)(void *arg, struct err *err), void *arg,
				   struct err *err);
