/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/cli/node_containers.h"

/*
 * Which containers people mean by a word: the name of a pod, NAMESPACE/NAME or NAME alone; the
 * beginning of the id of a container or of a pod; the name of a container in its pod; an image. The
 * first of these that fits something is meant.
 */
enum why_kind { WHY_NOTHING, WHY_POD, WHY_CONTAINER, WHY_NAMED, WHY_IMAGE };

struct why_found {
	enum why_kind kind;
	const struct node_container **list; /* in the arena of the containers, in their order */
	size_t n;
	bool ambiguous; /* they are of several pods, or several containers, that it may mean */
};

MUST_CHECK int why_find(struct node_containers *all, const char *word, struct why_found *ret,
			struct err *err);
