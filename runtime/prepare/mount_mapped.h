/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/prepare/mount_options.h"

/*
 * Mounts an overlay as mount_overlay() does, with the ids of its lower directories mapped. They are
 * mounted below a directory of its own in @dirfd for as long as this takes.
 */
MUST_CHECK int mount_overlay_mapped(int dirfd, const char *target, const struct mount_options *o,
				    int namespace, struct err *err);
