/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/plan/inspect.h"

/*
 * Looks for the shared libraries that the last link of @f needs, and that those need, wherever its
 * loader might: glibc's and uClibc's with ld.so.cache, musl's with its path file. *@ret is the
 * first that is nowhere, in the inspection's arena; NULL when all are there or when there is any
 * doubt. ERR_IO, ERR_NOMEM.
 */
MUST_CHECK int libraries_missing(const struct inspect *in, const struct facts *f, const char **ret,
				 struct err *err);

/*
 * Looks for a jemalloc that cannot do with the kernel's pages, in the last link of @f, an arm64
 * program, in the libraries of that name that it needs, and in those that LD_PRELOAD names; sets
 * f->allocator and f->allocator_page if there is one. ERR_IO, ERR_NOMEM.
 */
MUST_CHECK int libraries_allocator(const struct inspect *in, struct facts *f, struct err *err);
