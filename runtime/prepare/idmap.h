/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/err.h"

/*
 * Mounts whose owners appear shifted: what a snapshotter asks for with uidmap= and gidmap= when a
 * pod has a user namespace of its own (containerd 2.x). Needs Linux 5.12, for overlays 5.19.
 */

/*
 * A user namespace with these maps, each a list "container:host:count[,...]", for the kernel to
 * read them from. No process stays in it. The descriptor is the caller's.
 */
MUST_CHECK int idmap_namespace(const char *uids, const char *gids, int *ret_fd, struct err *err);

/* A detached copy of the mount at @path (with those below it if @recursive), mapped by @namespace.
 */
MUST_CHECK int idmap_tree(const char *path, bool recursive, int namespace, int *ret_tree,
			  struct err *err);
