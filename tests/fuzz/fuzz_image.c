/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/mman.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/image/dynamic.h"
#include "runtime/image/go.h"
#include "runtime/image/image.h"
#include "runtime/image/version.h"
#include "tests/fuzz/fuzz.h"

/* What a loader would read of it, from a start and after an end. */
static void check_loaded(int fd, const struct image *img)
{
	CLEANUP_ARENA struct arena arena = { .max = 4u << 20 };
	struct version version;
	struct dynamic d;
	struct err err;

	if (dynamic_read(fd, &img->ident, &arena, &d, &err) < 0)
		return;
	ASSERT(d.n <= DYNAMIC_NEEDED && d.rpath && d.runpath);
	for (size_t i = 0; i < d.n; i++)
		ASSERT(d.needed[i] && *d.needed[i]);
	(void)go_version_of_file(fd, img->segments.data_at, img->segments.data_len, &version);
}

/*
 * A whole file, read as prepare reads it. Program headers, names and notes may lie anywhere in it.
 * The size that is claimed differs from the file's own when somebody writes to it meanwhile.
 */
void fuzz_one(uint8_t *bytes, size_t n)
{
	static const uint64_t pages[] = { 4096, 16384, 65536 };
	CLEANUP_FD int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct host host = { .arch = arch_by_name("amd64", 5) };
	struct version version;
	struct image img;
	struct err err;

	if (fd < 0 || fd_write_all(fd, bytes, n) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		host.page_size = pages[i];
		ASSERT(image_read(fd, i ? n : n * 2, &host, &img, &err) == 0);
		ASSERT(img.kind < IMAGE_KIND_N && img.head_len <= n);
		ASSERT(memchr(img.interp, 0, sizeof(img.interp)));
		ASSERT(!img.interp_bad || !img.interp[0]);
		ASSERT(img.x86_level <= 4);
	}
	if (img.kind == IMAGE_ELF) {
		ASSERT(ident_table_size(&img.ident) && img.ident.phoff < n);
		check_loaded(fd, &img);
	}
	if (img.kind == IMAGE_SCRIPT)
		ASSERT(img.script.interpreter[0]);
	if (version_of_file(fd, n, &version))
		ASSERT(version_find(bytes, n, &version));
}
