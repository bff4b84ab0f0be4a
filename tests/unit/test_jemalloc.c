/* SPDX-License-Identifier: Apache-2.0 */
/* A memory allocator that cannot do with the kernel's pages: seen in code, and said after a crash.
 */
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/arch/table.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/image/jemalloc.h"
#include "runtime/prepare/after.h"
#include "runtime/prepare/prepare.h"

#define MESSAGE "<jemalloc>: Unsupported system page size\n"

/* A file as a linker makes it, with the few instructions of jemalloc that count. */
#define SIZE 0x6000
#define VADDR 0x400000u
#define CODE 0x1000  /* the comparison and the branch */
#define BLOCK 0x4000 /* where the message's address is made */
#define MESSAGE_AT 0x5678

struct made {
	uint8_t bytes[SIZE];
};

static void put32(struct made *m, size_t at, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		m->bytes[at + i] = (uint8_t)(value >> (8 * i));
}

static uint32_t cmp(uint32_t immediate, bool shifted)
{
	return 0xf100001fu | (shifted ? 1u << 22 : 0) | immediate << 10 | 3u << 5;
}

static uint32_t branch(uint32_t condition, size_t from, size_t to)
{
	int32_t words = ((int32_t)to - (int32_t)from) / 4;

	return 0x54000000u | ((uint32_t)words & 0x7ffff) << 5 | condition;
}

static uint32_t adrp(unsigned int reg, size_t from, size_t to)
{
	int32_t pages = (int32_t)(to >> 12) - (int32_t)(from >> 12);

	return 0x90000000u | ((uint32_t)pages & 3) << 29 | ((uint32_t)pages >> 2 & 0x7ffff) << 5 |
	       reg;
}

static uint32_t add(unsigned int reg, size_t to)
{
	return 0x91000000u | (uint32_t)(to & 0xfff) << 10 | reg << 5 | reg;
}

/* @compare is in front of a branch "higher" to the block. */
static void make(struct made *m, uint32_t compare)
{
	Elf64_Phdr p = { .p_type = PT_LOAD,
			 .p_flags = PF_R | PF_X,
			 .p_vaddr = VADDR,
			 .p_filesz = SIZE,
			 .p_memsz = SIZE,
			 .p_align = 0x10000 };

	memset(m, 0, sizeof(*m));
	arch_header(arch_by_name("arm64", 5), m->bytes);
	memcpy(m->bytes + 64, &p, sizeof(p));
	put32(m, CODE, compare);
	put32(m, CODE + 4, branch(8, CODE + 4, BLOCK));
	put32(m, BLOCK, adrp(7, BLOCK, MESSAGE_AT));
	put32(m, BLOCK + 8, add(7, MESSAGE_AT));
	memcpy(m->bytes + MESSAGE_AT, MESSAGE, sizeof(MESSAGE));
}

static uint64_t page_of(const struct made *m, size_t size)
{
	int fd = memfd_create("made", MFD_CLOEXEC);
	uint64_t page;

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, m->bytes, size), 0);
	page = jemalloc_page_of_file(fd, size);
	close(fd);
	return page;
}

static void page_sizes(void **state)
{
	struct made m;

	(void)state;
	make(&m, cmp(1, true));
	assert_int_equal(page_of(&m, SIZE), 4096);
	make(&m, cmp(4, true));
	assert_int_equal(page_of(&m, SIZE), 16384);
	make(&m, cmp(16, true));
	assert_int_equal(page_of(&m, SIZE), 65536);
	make(&m, 0); /* other instructions between them, and the block begins with something else */
	put32(&m, CODE - 4, cmp(1, true));
	put32(&m, CODE + 4, branch(8, CODE + 4, BLOCK - 8));
	assert_int_equal(page_of(&m, SIZE), 4096);
	make(&m, 0); /* clang's way: the block is behind a branch past it */
	put32(&m, BLOCK - 8, cmp(1, true));
	put32(&m, BLOCK - 4, branch(9, BLOCK - 4, BLOCK + 0x40));
	assert_int_equal(page_of(&m, SIZE), 4096);
	make(&m, 0); /* the block is in front of the branch */
	put32(&m, BLOCK + 0x100, cmp(1, true));
	put32(&m, BLOCK + 0x104, branch(8, BLOCK + 0x104, BLOCK));
	assert_int_equal(page_of(&m, SIZE), 4096);
}

/* Where anything is not as it has to be, nothing is known. */
static void unknown(void **state)
{
	struct made m;

	(void)state;
	make(&m, cmp(3, true)); /* no page size */
	assert_int_equal(page_of(&m, SIZE), 0);
	make(&m, cmp(16, false));
	assert_int_equal(page_of(&m, SIZE), 0);
	make(&m, cmp(1, true));
	put32(&m, CODE + 4, branch(9, CODE + 4, BLOCK)); /* lower or same */
	assert_int_equal(page_of(&m, SIZE), 0);
	make(&m, cmp(1, true));
	put32(&m, CODE + 4, branch(8, CODE + 4, BLOCK + 4));
	assert_int_equal(page_of(&m, SIZE), 0);
	make(&m, cmp(1, true));
	put32(&m, BLOCK + 8, add(6, MESSAGE_AT));
	assert_int_equal(page_of(&m, SIZE), 0);
	make(&m, cmp(1, true));
	m.bytes[MESSAGE_AT + strlen(MESSAGE)] = 'x';
	assert_int_equal(page_of(&m, SIZE), 0);
	make(&m, cmp(1, true));
	m.bytes[18] = EM_X86_64;
	assert_int_equal(page_of(&m, SIZE), 0);
	make(&m, cmp(1, true));
	for (size_t n = 0; n < SIZE; n += n < 200 ? 1 : 0x333)
		assert_int_equal(page_of(&m, n), n > MESSAGE_AT + sizeof(MESSAGE) ? 4096 : 0);
}

/* Any bytes at all in headers and code: nothing outside the file is touched. */
static void random_files(void **state)
{
	struct made m;

	(void)state;
	srandom(5);
	for (int i = 0; i < 2000; i++) {
		make(&m, cmp(1, true));
		for (int k = 0; k < 6; k++) {
			size_t at =
				k < 4 ? (size_t)random() % 120 : BLOCK - 16 + (size_t)random() % 32;

			m.bytes[at] = (uint8_t)random();
		}
		(void)page_of(&m, SIZE);
	}
}

/* --- after a crash --------------------------------------------------------------------------- */

static char root[32];

static void put_file(const char *name, const void *bytes, size_t n)
{
	char path[PATH_MAX];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, bytes, n), 0);
	assert_int_equal(fchmod(fd, 0755), 0);
	close(fd);
}

static int make_root(void **state)
{
	struct made m;

	(void)state;
	(void)snprintf(root, sizeof(root), "/tmp/crossarch-je-XXXXXX");
	assert_non_null(mkdtemp(root));
	make(&m, cmp(1, true));
	put_file("redis", m.bytes, SIZE);
	make(&m, cmp(16, true));
	put_file("fit", m.bytes, SIZE);
	make(&m, cmp(1, true));
	m.bytes[MESSAGE_AT] = '?';
	put_file("sh", m.bytes, SIZE);
	put_file("entry", "#!/sh\nexec \"$@\"\n", 16);
	return 0;
}

static int remove_root(void **state)
{
	static const char *const names[] = { "redis", "fit", "sh", "entry" };
	char path[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", root, names[i]);
		unlink(path);
	}
	return rmdir(root);
}

/* The line after an arm64 process with @args ended with @status on a node of @page bytes; "". */
static const char *said(const char *const *args, uint64_t status, uint64_t page)
{
	static struct prepare p;
	struct spec_process process = { .args = args,
					.env = (const char *const[]){ "PATH=/", NULL },
					.cwd = "/" };
	struct err err = ERR_INIT;

	p = (struct prepare){
		.host = { arch_by_name("arm64", 5), HOST_YES, HOST_NO, 0, page, true },
		.binfmt = { .state = BINFMT_ON },
		.arena = { .max = 1u << 20 },
		.request = { .exit_status = status, .declared = "" },
	};
	report_init(&p.report);
	settings_init(&p.settings);
	view_init(&p.view, open(root, O_PATH | O_DIRECTORY | O_CLOEXEC));
	assert_int_equal(after_explain(&p, &process, &err), 0);
	view_deinit(&p.view);
	arena_deinit(&p.arena);
	return p.report.verdict == VERDICT_REFUSE ? p.report.line : "";
}

static void crashes(void **state)
{
	static const char line[] =
		"crossarch[page-size]: /redis is linux/arm64 (64-bit little-endian AArch64); the "
		"memory allocator jemalloc in /redis was built for pages of up to 4096 bytes and "
		"this "
		"kernel's pages have 16384, so there was no memory and it crashed. Fix: use an "
		"image "
		"whose jemalloc was built for larger pages (--with-lg-page=16; of Rust programs: "
		"JEMALLOC_SYS_WITH_LG_PAGE=16), or schedule the pod on nodes with smaller pages.";
	const char *const alone[] = { "/redis", NULL };
	const char *const entry[] = { "/entry", "redis", "--save", "", NULL };
	const char *const shell[] = { "/sh", "-c", "redis --save 60", NULL };
	const char *const fit[] = { "/fit", NULL };

	(void)state;
	assert_string_equal(said(alone, 134, 16384), line);
	assert_non_null(strstr(said(alone, 133, 65536), "pages have 65536"));
	assert_non_null(strstr(said(alone, 139, 65536), "pages have 65536"));
	assert_non_null(strstr(said(entry, 134, 16384), "jemalloc in /redis was built"));
	assert_non_null(strstr(said(shell, 134, 16384), "jemalloc in /redis was built"));
	assert_string_equal(said(alone, 134, 4096), "");
	assert_string_equal(said(alone, 1, 16384), "");
	assert_string_equal(said(alone, 137, 16384), "");
	assert_string_equal(said(fit, 134, 16384), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_sizes),
		cmocka_unit_test(unknown),
		cmocka_unit_test(random_files),
		cmocka_unit_test_setup_teardown(crashes, make_root, remove_root),
	};

	return cmocka_run_group_tests_name("jemalloc", tests, NULL, NULL);
}
