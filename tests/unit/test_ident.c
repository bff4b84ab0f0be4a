/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/arch/table.h"
#include "runtime/base/mem.h"
#include "runtime/image/go.h"
#include "runtime/image/image.h"
#include "runtime/image/version.h"

#define PAGE 4096

static struct host amd64 = { .page_size = PAGE };

/* A header is refused at every length below its own, from a copy that ends exactly there. */
static void truncated_headers(void **state)
{
	size_t n_rows;
	const struct arch *rows = arch_rows(&n_rows);

	(void)state;
	for (size_t i = 0; i < n_rows; i++) {
		size_t whole = rows[i].cls == ELFCLASS64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
		uint8_t head[ARCH_HEADER];

		arch_header(&rows[i], head);
		for (size_t n = 0; n <= whole; n++) {
			uint8_t *copy = malloc(n + 1);
			struct ident id;

			assert_non_null(copy);
			memcpy(copy, head, n);
			assert_int_equal(ident_read(copy, n, &id), n < SELFMAG ? IDENT_NOT_ELF
								   : n < whole ? IDENT_CUT
									       : IDENT_ELF);
			free(copy);
		}
	}
}

static void nonsense_class_or_order(void **state)
{
	uint8_t head[ARCH_HEADER];
	struct ident id;
	size_t n;

	(void)state;
	for (int value = 0; value < 256; value++) {
		bool good = value == 1 || value == 2;

		arch_header(&arch_rows(&n)[0], head);
		head[EI_DATA] = (uint8_t)value;
		assert_int_equal(ident_read(head, sizeof(head), &id) == IDENT_ELF, good);
		arch_header(&arch_rows(&n)[0], head);
		head[EI_CLASS] = (uint8_t)value;
		assert_int_equal(ident_read(head, sizeof(head), &id) == IDENT_ELF, good);
	}
}

static void table_sizes(void **state)
{
	struct ident id = { .cls = ELFCLASS64, .phentsize = 56, .phnum = 3 };

	(void)state;
	assert_int_equal(ident_table_size(&id), 168);
	id.phentsize = 57;
	assert_int_equal(ident_table_size(&id), 0);
	id.phentsize = 56;
	id.phnum = 1170; /* 65520 bytes */
	assert_int_equal(ident_table_size(&id), 65520);
	id.phnum = 1171;
	assert_int_equal(ident_table_size(&id), 0);
	id = (struct ident){ .cls = ELFCLASS32, .phentsize = 32, .phnum = 1 };
	assert_int_equal(ident_table_size(&id), 32);
}

#define OUR_ORDER (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB)

/* A 64-bit program, in the byte order of this machine, with the given segments. */
struct program {
	struct ident id;
	Elf64_Phdr segments[4];
};

static struct segments walk_at(const struct program *p, size_t n, uint64_t file_size, uint64_t page)
{
	struct program copy = *p;
	struct segments s;

	copy.id.phnum = (uint16_t)n;
	segments_read(&copy.id, copy.segments, n * sizeof(Elf64_Phdr), file_size, page, &s);
	return s;
}

static struct segments walk(const struct program *p, size_t n, uint64_t file_size)
{
	return walk_at(p, n, file_size, PAGE);
}

static struct program typical(void)
{
	return (struct program){
		.id = { .cls = ELFCLASS64, .order = OUR_ORDER, .entry = 0x401000,
			.machine = EM_X86_64 },
		.segments = {
			{ PT_LOAD, PF_R | PF_X, 0, 0x400000, 0, 0x3000, 0x3000, PAGE },
			{ PT_LOAD, PF_R | PF_W, 0x3000, 0x403000, 0, 0x1800, 0x2800, PAGE },
			{ PT_INTERP, PF_R, 0x200, 0x400200, 0, 28, 28, 1 },
			{ PT_DYNAMIC, PF_R, 0x3100, 0x403100, 0, 0x100, 0x100, 8 },
		},
	};
}

static void whole_program(void **state)
{
	struct program p = typical();
	struct segments s = walk(&p, 4, 0x4800);

	(void)state;
	assert_false(s.empty);
	assert_false(s.cut);
	assert_false(s.dead);
	assert_int_equal(s.largest_page, 0x400000); /* p_vaddr - p_offset */
	assert_int_equal(s.interp_at, 0x200);
	assert_int_equal(s.interp_len, 28);
}

static void cut_programs(void **state)
{
	struct program p = typical();

	(void)state;
	/* The entry page is missing. */
	assert_true(walk(&p, 1, 0x1000).dead);
	/* Only the end of the text: cut, but it may run. */
	assert_true(walk(&p, 1, 0x2000).cut);
	assert_false(walk(&p, 1, 0x2000).dead);
	/* The last page of the data is missing: the kernel cannot clear behind it. */
	assert_true(walk(&p, 2, 0x3800).dead);
	/* The page is there in part. */
	assert_false(walk(&p, 2, 0x4100).dead);
	assert_true(walk(&p, 2, 0x4100).cut);
	/* PT_DYNAMIC is missing. */
	assert_true(walk(&p, 4, 0x3000).dead);
	assert_true(walk(&p, 4, 0).dead);
}

static void page_sizes(void **state)
{
	struct program p = typical();

	(void)state;
	p.segments[1].p_vaddr = 0x404000; /* off by one 4 KiB page: fits no larger page */
	assert_int_equal(walk(&p, 2, 0x4800).largest_page, 0x1000);
	p.segments[1].p_vaddr = 0x413000;
	assert_int_equal(walk(&p, 2, 0x4800).largest_page, 0x10000);
	p.segments[1].p_vaddr = 0x403200;
	assert_int_equal(walk(&p, 2, 0x4800).largest_page, 0x200);
}

/* What a linker makes for 4 KiB is where it has to be for these, whatever pages the node has. */
static void misplaced_segments(void **state)
{
	struct program p = typical();

	(void)state;
	p.segments[1].p_vaddr = 0x404000;
	assert_false(walk_at(&p, 2, 0x4800, 16384).misplaced);
	p.segments[1].p_vaddr = 0x406000;
	p.segments[1].p_offset = 0x1000;
	p.segments[1].p_align = 8192;
	assert_false(walk_at(&p, 2, 0x4800, 16384).misplaced);
	p.segments[1].p_align = 65536;
	assert_true(walk_at(&p, 2, 0x4800, 16384).misplaced);
	p.segments[1].p_offset = 0x3000; /* it would come out somewhere, perhaps in nobody's way */
	assert_false(walk_at(&p, 2, 0x4800, 16384).misplaced);
}

static void huge_numbers(void **state)
{
	struct program p = typical();
	struct segments s;

	(void)state;
	for (int i = 0; i < 4; i++) {
		p.segments[i].p_offset = UINT64_MAX - 5;
		p.segments[i].p_filesz = UINT64_MAX;
		p.segments[i].p_memsz = UINT64_MAX;
		p.segments[i].p_vaddr = UINT64_MAX;
	}
	s = walk(&p, 4, UINT64_MAX);
	assert_false(s.empty);
	s = walk(&p, 4, 0);
	assert_false(s.empty);
}

/* The table ends within a segment: what came before counts. */
static void short_table(void **state)
{
	struct program p = typical();
	struct segments s;

	(void)state;
	p.id.phnum = 4;
	segments_read(&p.id, p.segments, 2 * sizeof(Elf64_Phdr) + 20, 0x4800, PAGE, &s);
	assert_false(s.empty);
	assert_int_equal(s.interp_len, 0);
}

static void x86_levels(void **state)
{
	struct ident id = { .cls = ELFCLASS64, .order = ELFDATA2LSB, .machine = EM_X86_64 };
	uint8_t note[] = { 4, 0, 0, 0, 32, 0, 0, 0, 5, 0, 0, 0, 'G', 'N', 'U', 0,
			   /* another property first */
			   2, 0, 0, 0xc0, 4, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0,
			   /* X86_ISA_1_NEEDED: baseline and v3 */
			   2, 0x80, 0, 0xc0, 4, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0 };

	(void)state;
	assert_int_equal(property_x86_level(&id, note, sizeof(note)), 3);
	note[40] = 1;
	assert_int_equal(property_x86_level(&id, note, sizeof(note)), 0);
	note[40] = 0xf;
	assert_int_equal(property_x86_level(&id, note, sizeof(note)), 4);
	for (size_t n = 0; n < sizeof(note); n++)
		assert_int_equal(property_x86_level(&id, note, n), 0);
	memset(note + 20, 0xff, 4); /* a property larger than the note */
	assert_int_equal(property_x86_level(&id, note, sizeof(note)), 0);
	id.machine = EM_AARCH64;
	assert_int_equal(property_x86_level(&id, note, sizeof(note)), 0);
}

/* One note of another system, behind one of the usual. */
static size_t notes_of(uint8_t *out, const char *name)
{
	static const uint8_t build_id[] = { 4, 0, 0,   0,   4,	 0, 0, 0, 3, 0,
					    0, 0, 'G', 'N', 'U', 0, 1, 2, 3, 4 };
	size_t n = sizeof(build_id), name_size = strlen(name) + 1;

	memset(out, 0, 128);
	memcpy(out, build_id, n);
	out[n] = (uint8_t)name_size;
	out[n + 4] = 4;
	out[n + 8] = 1;
	memcpy(out + n + 12, name, name_size);
	return n + 12 + (name_size + 3) / 4 * 4 + 4;
}

static void systems_by_notes(void **state)
{
	static const struct {
		const char *name;
		enum ident_system system;
	} rows[] = {
		{ "FreeBSD", SYSTEM_FREEBSD }, { "NetBSD", SYSTEM_NETBSD },
		{ "OpenBSD", SYSTEM_OPENBSD }, { "DragonFly", SYSTEM_DRAGONFLY },
		{ "Android", SYSTEM_ANDROID }, { "GNU", SYSTEM_LINUX },
		{ "Go", SYSTEM_LINUX },	       { "FreeBSDx", SYSTEM_LINUX },
	};
	struct ident id = { .cls = ELFCLASS64, .order = ELFDATA2LSB, .machine = EM_X86_64 };
	uint8_t notes[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t size = notes_of(notes, rows[i].name);

		assert_int_equal(notes_system(&id, notes, size), rows[i].system);
		for (size_t n = 0; n < 30; n++)
			assert_int_equal(notes_system(&id, notes, n), SYSTEM_LINUX);
	}
	memset(notes, 0xff, sizeof(notes));
	assert_int_equal(notes_system(&id, notes, sizeof(notes)), SYSTEM_LINUX);
}

static void systems_by_loaders(void **state)
{
	struct ident x86 = { .machine = EM_X86_64 }, mips = { .machine = EM_MIPS };

	(void)state;
	assert_int_equal(loader_system(&x86, "/libexec/ld-elf.so.1"), SYSTEM_FREEBSD);
	assert_int_equal(loader_system(&mips, "/usr/libexec/ld.so"), SYSTEM_OPENBSD);
	assert_int_equal(loader_system(&x86, "/usr/lib/ld.so.1"), SYSTEM_SOLARIS);
	assert_int_equal(loader_system(&mips, "/usr/lib/ld.so.1"), SYSTEM_LINUX);
	assert_int_equal(loader_system(&x86, "/lib64/ld-linux-x86-64.so.2"), SYSTEM_LINUX);
	assert_int_equal(loader_system(&x86, ""), SYSTEM_LINUX);
}

/* The kernel of amd64 knows its programs by e_machine: not by class, order, version or size. */
static void headers_as_the_node_reads_them(void **state)
{
	uint8_t head[256] = { 0 };
	struct ident id;
	size_t n;

	(void)state;
	arch_header(&arch_rows(&n)[0], head);
	for (int value = 0; value < 256; value += 51) {
		head[EI_CLASS] = head[EI_DATA] = head[EI_VERSION] = (uint8_t)value;
		assert_int_equal(ident_read_by(&amd64, head, 64, &id), IDENT_ELF);
		assert_int_equal(id.cls, ELFCLASS64);
		assert_int_equal(id.order, ELFDATA2LSB);
	}
	/* x32 is told from it by the size of its program headers. */
	arch_header(arch_by_name("x32", 3), head);
	assert_int_equal(ident_read_by(&amd64, head, 52, &id), IDENT_ELF);
	assert_int_equal(id.cls, ELFCLASS32);
	/* Its 32-bit sister, cut short. */
	arch_header(arch_by_name("386", 3), head);
	head[EI_CLASS] = 7;
	assert_int_equal(ident_read_by(&amd64, head, 45, &id), IDENT_ELF);
	assert_int_equal(id.cls, ELFCLASS32);
	/* Others are what they say. */
	arch_header(arch_by_name("s390x", 5), head);
	assert_int_equal(ident_read_by(&amd64, head, 64, &id), IDENT_ELF);
	assert_int_equal(id.order, ELFDATA2MSB);
	head[EI_CLASS] = 7;
	assert_int_equal(ident_read_by(&amd64, head, 64, &id), IDENT_CUT);
}

static void segments_that_cannot_be(void **state)
{
	struct program p = typical();

	(void)state;
	assert_false(walk(&p, 4, 0x4800).impossible);
	assert_true(walk(&p, 0, 0x4800).empty);
	p.segments[0].p_memsz = 1;
	assert_true(walk(&p, 4, 0x4800).overfull);
	p = typical();
	p.segments[0].p_vaddr = 1ull << 60;
	assert_true(walk(&p, 4, 0x4800).impossible);
	p = typical();
	p.segments[0].p_offset = 1ull << 63;
	assert_true(walk(&p, 4, 0x4800).impossible);
}

static int file_of(const void *bytes, size_t n)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	return fd;
}

static struct image image_of(const void *bytes, size_t n)
{
	int fd = file_of(bytes, n);
	struct image img;
	struct err err;

	assert_int_equal(image_read(fd, n, &amd64, &img, &err), 0);
	close(fd);
	return img;
}

/* A program of this row with a loader name at the end. */
static size_t with_loader(const struct arch *a, const char *name, size_t name_len, uint8_t *out)
{
	bool wide = a->cls == ELFCLASS64, big = a->order == ELFDATA2MSB;
	size_t at = wide ? 64 : 52, each = wide ? 56 : 32, end = at + each;
	size_t offset_at = at + (wide ? 8 : 4), size_at = at + (wide ? 32 : 16);

	memset(out, 0, 512);
	arch_header(a, out);
	out[at + (big ? 3 : 0)] = PT_INTERP;
	out[offset_at + (big ? (wide ? 7 : 3) : 0)] = (uint8_t)end;
	out[size_at + (big ? (wide ? 7 : 3) : 0)] = (uint8_t)name_len;
	memcpy(out + end, name, name_len);
	return end + name_len;
}

static void loaders_of_every_row(void **state)
{
	size_t n;
	const struct arch *rows = arch_rows(&n);
	uint8_t file[512];

	(void)state;
	for (size_t i = 0; i < n; i++) {
		size_t size = with_loader(&rows[i], "/lib/ld.so", 11, file);
		struct image img = image_of(file, size);

		assert_int_equal(img.kind, IMAGE_ELF);
		assert_string_equal(img.interp, "/lib/ld.so");
		assert_false(img.interp_bad);
		/* Not terminated, or cut off: the kernel refuses. */
		size = with_loader(&rows[i], "/lib/ld.so", 10, file);
		assert_true(image_of(file, size).interp_bad);
		size = with_loader(&rows[i], "/lib/ld.so", 11, file);
		img = image_of(file, size - 1);
		assert_true(img.interp_bad);
		assert_string_equal(img.interp, "");
		/* Its name may be shorter than the segment, but not empty. */
		size = with_loader(&rows[i], "/lib/ld\0oo", 11, file);
		assert_string_equal(image_of(file, size).interp, "/lib/ld");
		size = with_loader(&rows[i], "\0lib/ld.so", 11, file);
		assert_true(image_of(file, size).interp_bad);
		size = with_loader(&rows[i], "/lib/ld.so", 11, file);
		/* Cut within the program headers. */
		assert_int_equal(image_of(file, size - 13).kind, IMAGE_CUT);
	}
}

static void zeros_are_looked_at_further(void **state)
{
	uint8_t file[3000] = { 0 };

	(void)state;
	assert_int_equal(image_of(file, sizeof(file)).kind, IMAGE_ZEROS);
	file[2999] = 1;
	assert_int_equal(image_of(file, sizeof(file)).kind, IMAGE_DATA);
	assert_int_equal(image_of(file, 0).kind, IMAGE_EMPTY);
}

static void go_versions(void **state)
{
	static const char info[] = "code code code \0\xff Go buildinf:\x08\x02\0\0\0\0\0\0\0\0\0\0"
				   "\0\0\0\0\0\0\x08go1.24.6\x0apath\tx";
	static const char old[] = "\xff Go buildinf:\x08\x00\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	struct version v;
	int fd;

	(void)state;
	assert_true(go_version_find(info, sizeof(info), &v));
	assert_int_equal(v.major * 10000 + v.minor * 100 + v.patch, 12406);
	for (size_t n = 0; n < sizeof(info); n++)
		if (go_version_find(info, n, &v))
			assert_true(n >= 30 && v.minor <= 24);
	assert_true(go_version_find(old, sizeof(old), &v));
	assert_int_equal(v.major, 0);
	assert_false(go_version_find("no program", 10, &v));
	fd = file_of(info, sizeof(info));
	assert_true(go_version_of_file(fd, 16, sizeof(info) - 16, &v));
	assert_int_equal(v.minor, 24);
	assert_false(go_version_of_file(fd, UINT64_MAX - 5, 100, &v));
	assert_false(go_version_of_file(fd, 0, 0, &v));
	close(fd);
}

static void versions(void **state)
{
	static const char text[] =
		"xqemu-qemu-\0qemu-aarch64 version 7.2.22 (Debian)\nqemu-x version 9";
	struct version v = { 0, 0, 0 };
	char file[600000] = { 0 };
	int fd;

	(void)state;
	assert_true(version_find(text, sizeof(text), &v));
	assert_int_equal(v.major * 10000 + v.minor * 100 + v.patch, 70222);
	for (size_t n = 0; n < 35; n++)
		assert_false(version_find(text, n, &v));
	/* Wherever chunks or halves meet. */
	for (size_t i = 0; i < 3 * 72; i++) {
		size_t at = (i < 72 ? 262144 : i < 144 ? 300000 : 562144) + i % 72 - 64;

		memset(file, 0, sizeof(file));
		memcpy(file + at, text + 12, 27);
		fd = file_of(file, sizeof(file));
		v.major = 0;
		assert_true(version_of_file(fd, sizeof(file), &v));
		assert_int_equal(v.major, 7);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(truncated_headers),
		cmocka_unit_test(nonsense_class_or_order),
		cmocka_unit_test(table_sizes),
		cmocka_unit_test(whole_program),
		cmocka_unit_test(cut_programs),
		cmocka_unit_test(page_sizes),
		cmocka_unit_test(misplaced_segments),
		cmocka_unit_test(huge_numbers),
		cmocka_unit_test(short_table),
		cmocka_unit_test(x86_levels),
		cmocka_unit_test(systems_by_notes),
		cmocka_unit_test(systems_by_loaders),
		cmocka_unit_test(headers_as_the_node_reads_them),
		cmocka_unit_test(segments_that_cannot_be),
		cmocka_unit_test(loaders_of_every_row),
		cmocka_unit_test(zeros_are_looked_at_further),
		cmocka_unit_test(go_versions),
		cmocka_unit_test(versions),
	};

	amd64.arch = arch_by_name("amd64", 5);
	return cmocka_run_group_tests_name("ident", tests, NULL, NULL);
}
