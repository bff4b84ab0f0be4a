/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/base/err.h"
#include "runtime/prepare/request.h"

/* The mounts of a Create request, as containerd mounts them itself (core/mount/mount_linux.go). */

/*
 * Mounts all of @mounts in order on directory @name (made if missing) below @dirfd, or on paths
 * below that. All or nothing: what was mounted before a failure is unmounted again.
 */
MUST_CHECK int mount_all(int dirfd, const char *name, const struct prepare_mount *mounts, size_t n,
			 struct err *err);
