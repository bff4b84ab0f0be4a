/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/base/arena.h"
#include "runtime/base/err.h"
#include "runtime/image/ident.h"

/* What PT_DYNAMIC of a program or a shared library asks its loader for (ELF, "Dynamic Section"). */
#define DYNAMIC_NEEDED 64 /* more are left out */

struct dynamic {
	const char *needed[DYNAMIC_NEEDED]; /* DT_NEEDED; in the arena, like the others */
	size_t n;
	const char *rpath, *runpath; /* "" without */
};

/*
 * Reads the ELF file @fd. What cannot be made sense of is left out: a broken file needs nothing.
 * ERR_IO when reading fails, ERR_NOMEM.
 */
MUST_CHECK int dynamic_read(int fd, const struct ident *id, struct arena *arena,
			    struct dynamic *ret, struct err *err);
