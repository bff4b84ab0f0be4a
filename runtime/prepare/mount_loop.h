/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/base/err.h"
#include "runtime/prepare/mount_options.h"

/*
 * Attaches a free loop device to the file @source, as the options have it; its path goes into
 * @ret_path (at least 32 bytes). The device detaches itself once it is unmounted and @ret_fd, the
 * caller's, is closed.
 */
MUST_CHECK int loop_attach(const char *source, const struct mount_options *o, char *ret_path,
			   size_t size, int *ret_fd, struct err *err);
