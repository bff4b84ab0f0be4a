/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/plan/inspect.h"

/*
 * Looks for the shared libraries that the last link of @f needs, and that those need, wherever its
 * loader might: glibc's and uClibc's with ld.so.cache, musl's with its path file. Sets f->library
 * to the first that is nowhere, in the inspection's arena; if all are there, to the first whose
 * segments cannot be mapped with the kernel's pages, and f->library_page to those that would do.
 * Neither is set when all is well or there is any doubt. ERR_IO, ERR_NOMEM.
 */
MUST_CHECK int libraries_check(const struct inspect *in, struct facts *f, struct err *err);

/*
 * Looks for a jemalloc that cannot do with the kernel's pages, in the last link of @f, an arm64
 * program, in the libraries of that name that it needs, and in those that LD_PRELOAD names; sets
 * f->allocator and f->allocator_page if there is one. ERR_IO, ERR_NOMEM.
 */
MUST_CHECK int libraries_allocator(const struct inspect *in, struct facts *f, struct err *err);
