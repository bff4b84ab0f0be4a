/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/arch/table.h"
#include "runtime/base/err.h"
#include "runtime/binfmt/rule.h"

/* Making and removing handlers. @dirfd is an instance as binfmt_open() gives it. */

/* Gives the line to the kernel. ERR_EXISTS for a name that is taken. */
MUST_CHECK int register_handler(int dirfd, const char *line, struct err *err);

/* Removes the handler @name; *ret_removed is false when there is none. */
MUST_CHECK int unregister_handler(int dirfd, const char *name, bool *ret_removed, struct err *err);
