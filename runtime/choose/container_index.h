/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/choose/cri_container.h"
#include "runtime/containerd/image_members.h"
#include "runtime/containerd/image_reference.h"

/* The index that a container's image was taken from, and where it is pulled from. */
struct container_index {
	struct image_members members;	 /* owned */
	const struct image_member *own;	 /* the variant that CRI chose */
	char repository[REPOSITORY_MAX]; /* by a name; "" when there is none */
};

#define CLEANUP_INDEX CLEANUP(container_index_deinit)
void container_index_deinit(struct container_index *i);

/*
 * Finds it among the images that containerd has names for: the name that the
 * pod uses first, but a tag moves, and then the name that CRI gives to the configuration's digest,
 * and all others, are asked. One that does not have the configuration the container was made of is
 * never taken. ERR_NOT_FOUND when there is none, as with an image of one platform only.
 */
MUST_CHECK int container_index_find(struct image_store *store,
				    const struct container_record *record,
				    const struct cri_container *container,
				    struct container_index *ret, struct err *err);

/*
 * Sets the repository to one that containerd has pulled the index from: a name may have been given
 * to it on this node. Among several the one there is stays. It also stays where nothing is
 * recorded, as of an image that was imported; ERR_NOT_FOUND when there is none then.
 */
MUST_CHECK int container_index_locate(struct image_store *store, struct container_index *index,
				      struct err *err);
