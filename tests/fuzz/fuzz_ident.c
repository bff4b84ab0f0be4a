/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/base/mem.h"
#include "runtime/image/image.h"
#include "runtime/image/version.h"
#include "tests/fuzz/fuzz.h"

/* A whole file: every reader of what is in it, and what they promise about the result. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	CLEANUP_FD int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct version version;
	struct script script;
	struct image img;
	struct err err;

	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
		return 0;
	ASSERT(image_read(fd, n, 4096, &img, &err) == 0);
	ASSERT(img.kind < IMAGE_KIND_N);
	ASSERT(memchr(img.interp, 0, sizeof(img.interp)) != NULL);
	if (img.kind == IMAGE_ELF)
		ASSERT(ident_table_size(&img.ident) && img.ident.phoff < n);
	if (img.kind == IMAGE_SCRIPT)
		ASSERT(img.script.interpreter[0] && !strpbrk(img.script.interpreter, " \t\n"));
	(void)script_read(bytes, n, &script);
	(void)version_find(bytes, n, &version);
	return 0;
}
