/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/arch/table.h"
#include "runtime/base/err.h"

/*
 * Lines for binfmt_misc's `register` (Linux, Documentation/admin-guide/binfmt-misc.rst): making,
 * writing and taking back. @dirfd is an instance as binfmt_open() gives it.
 */
#define REGISTER_MAX 1920 /* the kernel takes no longer line */

/*
 * The line that hands programs of @a to @interpreter. It matches what the kernel's own ELF loader
 * would look at: the padding of the identification, the OS ABI and its version do not matter, and
 * both ET_EXEC and ET_DYN do; e_flags count where two targets of qemu differ in nothing else.
 * ERR_LIMIT when it gets too long.
 */
MUST_CHECK int register_line(const struct arch *a, const char *name, const char *interpreter,
			     const char *flags, char ret[REGISTER_MAX + 1], struct err *err);

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
