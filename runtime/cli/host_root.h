/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/err.h"
#include "runtime/base/mem.h"

/*
 * Looking at a node from a pod that has the node's root on /host and its process ids, as "kubectl
 * debug node/N" makes one: what containerd says is about files of the node.
 */
#define HOST_ROOT "/host"

struct host_root {
	int fd;		  /* crossarch-prepare of before, -1: we are on the node itself */
	char prepare[32]; /* its path for struct dry_run */
};

#define HOST_ROOT_INIT   \
	{                \
		.fd = -1 \
	}
#define CLEANUP_HOST_ROOT CLEANUP(host_root_deinit)
static inline void host_root_deinit(struct host_root *h)
{
	fd_close(&h->fd);
}

/*
 * Finds containerd's socket, as installation_socket() does (@distribution and @socket may be NULL),
 * and makes the node's root ours where the socket is there and not here. prepare stays that of our
 * own image, for the node may have none. ERR_INVALID for an unknown distribution, ERR_PRECONDITION
 * when the pod may not.
 */
MUST_CHECK int host_root_enter(const char *distribution, const char **socket, struct host_root *ret,
			       struct err *err);

/* For struct dry_run: NULL on the node itself. */
static inline const char *host_root_prepare(const struct host_root *h)
{
	return h->fd < 0 ? NULL : h->prepare;
}
