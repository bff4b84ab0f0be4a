/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/arch/table.h"
#include "runtime/base/err.h"
#include "runtime/binfmt/rule.h"

/* Handlers made and taken back. @dirfd is an instance as binfmt_open() gives it. */

/* Gives the line to the kernel. ERR_EXISTS for a name that is taken. */
MUST_CHECK int register_handler(int dirfd, const char *line, struct err *err);

/* Removes the handler @name; *ret_removed is false when there is none. */
MUST_CHECK int unregister_handler(int dirfd, const char *name, bool *ret_removed, struct err *err);

/*
 * Mounts binfmt_misc where the node's programs see it: in the mount namespace of process 1, unless
 * we live in another user namespace, which has an instance of its own. *ret_mounted is false when
 * it was mounted there already.
 */
MUST_CHECK int binfmt_mount(bool *ret_mounted, struct err *err);
