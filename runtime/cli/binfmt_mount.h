/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/err.h"

/*
 * The mount of binfmt_misc that counts: the one that the node's programs see, in the mount
 * namespace of process 1. Handlers live as long as their file system is mounted anywhere, so those
 * registered through a container's own mount of it are gone with that container. In another user
 * namespace than process 1's it is the mount in our own namespace, for there it is another
 * instance.
 */

enum binfmt_mounted {
	BINFMT_WAS_MOUNTED,
	BINFMT_MOUNTED,	  /* by us, now */
	BINFMT_TRIGGERED, /* it was an automount (autofs) that nobody had used yet */
};

/*
 * Mounts it where it belongs if it is not there yet. An automount is triggered first; one whose
 * daemon does not answer or cannot mount it is covered. What is there afterwards has been proven to
 * be binfmt_misc. ERR_UNSUPPORTED: this kernel has none; ERR_IO: anything else, errno's text.
 */
MUST_CHECK int binfmt_mount(enum binfmt_mounted *ret, struct err *err);

/*
 * Whether @dirfd, as binfmt_open() gives it, is the instance that binfmt_mount() mounted.
 * ERR_PRECONDITION when it is not.
 */
MUST_CHECK int binfmt_mount_prove(int dirfd, struct err *err);

/*
 * True when process 1 is not the node's, though our user namespace is: in a container without the
 * node's processes (hostPID) nobody can tell what the node itself has mounted.
 */
bool binfmt_mount_is_blind(void);
