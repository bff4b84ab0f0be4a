/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/*
 * The largest page, in bytes, for which the memory allocator jemalloc in the arm64 program or
 * library @fd of @size bytes was built; 0 when there is none in it, or when that cannot be seen.
 *
 * On a kernel with larger pages it writes a line and gives no memory to anybody (jemalloc,
 * src/pages.c, pages_boot()). The page size is a constant of its build, the builder's own by
 * default (--with-lg-page; redis/redis#12586, astral-sh/uv#4647), and stands nowhere but in the
 * code: in the comparison on the way to where that line is written. So it was in Debian's
 * libjemalloc 5.3.0, in a Rust program, and in what gcc 12 and clang 14 make of it but for
 * clang with -O0.
 */
uint64_t jemalloc_page_of_file(int fd, uint64_t size);
