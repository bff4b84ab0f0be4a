/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/scan.h"
#include "runtime/containerd/image_store.h"

/*
 * Adds the images of one namespace of containerd (@space, "" for an archive) to @s: names of one
 * digest are one image. In the order of their names; @list is sorted by the way. What the list
 * points at has to stay.
 */
MUST_CHECK int scan_add_names(struct scan *s, const char *space, struct image_named *list, size_t n,
			      struct err *err);
