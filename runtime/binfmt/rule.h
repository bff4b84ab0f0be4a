/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "runtime/arch/table.h"
#include "runtime/base/err.h"
#include "runtime/binfmt/entry.h"

/* Lines for binfmt_misc's `register` (Linux, Documentation/admin-guide/binfmt-misc.rst). */
#define REGISTER_MAX 1920 /* the kernel takes no longer line */

/*
 * The line that hands programs of @a to @interpreter. It matches what the kernel's own ELF loader
 * would look at: the padding of the identification, the OS ABI and its version do not matter, and
 * both ET_EXEC and ET_DYN do; e_flags count where two targets of qemu differ in nothing else.
 * ERR_LIMIT when it gets too long.
 */
MUST_CHECK int register_line(const struct arch *a, const char *name, const char *interpreter,
			     const char *flags, char ret[REGISTER_MAX + 1], struct err *err);

/* The handler such a line makes: flags are enum binfmt_flag. */
void binfmt_entry_for(const struct arch *a, const char *name, const char *interpreter,
		      uint32_t flags, struct binfmt_entry *ret);

/* The line that would make @e again. ERR_UNSUPPORTED for a kind that cannot be written down. */
MUST_CHECK int register_again(const struct binfmt_entry *e, char ret[REGISTER_MAX + 1],
			      struct err *err);

/* "PF": the flags as letters, "" without. */
void binfmt_flag_letters(uint32_t flags, char ret[8]);
