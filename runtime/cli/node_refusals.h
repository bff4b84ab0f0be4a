/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/check_guard.h"
#include "runtime/cli/container_judge.h"
#include "runtime/cli/node_containers.h"
#include "runtime/cli/why_record.h"

/*
 * The containers of the node that failed and that we have something to say of, as "why" without an
 * operand shows them, beside other examinations. It is asked in two steps, for nothing may fork
 * after the first call of gRPC.
 */
struct node_refusals {
	const char *socket;
	struct container_judge judge;
	char config[256], why_not[200];
	struct guard guard;
	struct node_containers all;
	struct why_record *list; /* newest first */
	size_t n;
	char trouble[300]; /* why nothing is known; "" otherwise */
};

#define NODE_REFUSALS_INIT                                       \
	{                                                        \
		.guard = GUARD_INIT, .all = NODE_CONTAINERS_INIT \
	}
#define CLEANUP_NODE_REFUSALS CLEANUP(node_refusals_deinit)
void node_refusals_deinit(struct node_refusals *r);

/* What forks and starts programs. @socket is containerd's and stays; NULL: there is none. */
void node_refusals_prepare(struct node_refusals *r, const char *socket);

/* Asks containerd, and judges at most @max of them. What fails is in r->trouble. */
void node_refusals_read(struct node_refusals *r, size_t max);
