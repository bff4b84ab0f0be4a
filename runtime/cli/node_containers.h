/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/arena.h"
#include "runtime/containerd/container_list.h"
#include "runtime/containerd/containerd_store.h"
#include "runtime/containerd/rpc.h"
#include "runtime/containerd/task_list.h"

/* All containers that containerd has, in all its namespaces and under any runtime. */

/* A namespace of containerd, with a connection of its own: main() ends with _exit(). */
struct node_space {
	const char *name;
	struct rpc *rpc;
	struct containerd_store containerd;
	char tasks_unknown[200]; /* why nothing is known of what runs, "" where it is */
};

struct node_container {
	struct node_space *space;
	struct container_entry entry;
	const struct task_entry *task; /* NULL: nothing runs or was left of what ran */
	/* What the CRI wrote into the specification, each "" where it did not; @name is otherwise
	 * what nerdctl calls it. */
	const char *pod_namespace, *pod, *pod_id, *name, *asked_image;
	bool sandbox;	     /* it is the one that holds a pod's namespaces */
	const char *command; /* as one line for people, "" when not known */
};

struct node_containers {
	struct arena arena; /* everything lives there */
	struct node_space *spaces;
	size_t n_spaces;
	struct node_container *list;
	size_t n;
};

#define NODE_CONTAINERS_INIT                   \
	{                                      \
		.arena = {.max = 1024u << 20 } \
	}
#define CLEANUP_NODE_CONTAINERS CLEANUP(node_containers_deinit)
void node_containers_deinit(struct node_containers *all);

/*
 * Asks the containerd behind @socket. A @namespace restricts it to that one, NULL to none. An error
 * where it cannot be asked at all. A shim that hangs lets containerd's list of tasks hang: then it
 * is missing, see struct node_space.
 */
MUST_CHECK int node_containers_read(const char *socket, const char *namespace,
				    struct node_containers *ret, struct err *err);
