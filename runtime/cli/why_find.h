/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/cli/node_containers.h"

/*
 * Which containers people mean by a word: the name of a pod, NAMESPACE/NAME or NAME alone; the name
 * of a container, in its pod or of nerdctl; the beginning of the id of a pod or of a container; an
 * image. The first of these that fits something is meant: a short name can begin like an id.
 */
enum why_kind { WHY_NOTHING, WHY_POD, WHY_NAMED, WHY_POD_ID, WHY_CONTAINER, WHY_IMAGE };

struct why_one {
	const struct node_container *c;
	size_t attempts; /* how many of its pod have its name; it is the newest of them */
};

struct why_found {
	enum why_kind kind;
	struct why_one *list; /* in the arena of the containers; those of a pod oldest first */
	size_t n;
	bool ambiguous; /* they are of several pods, or several containers, that it may mean */
};

MUST_CHECK int why_find(struct node_containers *all, const char *word, struct why_found *ret,
			struct err *err);

/*
 * Both are attempts of one container of a pod: the kubelet makes it anew at each restart, and the
 * one before stays for a while.
 */
bool why_same_container(const struct node_container *a, const struct node_container *b);
