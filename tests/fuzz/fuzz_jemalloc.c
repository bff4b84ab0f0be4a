/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/mman.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/image/jemalloc.h"
#include "tests/fuzz/fuzz.h"

/* A program that crashed; its size is what it was a moment ago. */
void fuzz_one(uint8_t *bytes, size_t n)
{
	CLEANUP_FD int fd = memfd_create("fuzz", MFD_CLOEXEC);
	uint64_t page;

	if (fd < 0 || fd_write_all(fd, bytes, n) < 0)
		return;
	page = jemalloc_page_of_file(fd, n);
	ASSERT(!page || (page >= 4096 && !(page & (page - 1))));
	(void)jemalloc_page_of_file(fd, n * 2);
}
