/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <string.h>

#include "runtime/base/fd.h"
#include "tests/verdicts/verdicts.h"

#define CODE_AT 0x400	/* of the instructions in the file */
#define LOADER_AT 0x480 /* of the loader's name */
#define BASE 0x400000

/*
 * exit(STATUS) in machine code; `status` is where the number goes. `jump` is the start of a dynamic
 * loader, and all of it: find AT_ENTRY behind the environment on the stack, and go there.
 */
struct code {
	uint16_t machine;
	bool wide, big;
	uint8_t bytes[24];
	size_t size, status;
	uint8_t jump[40];
};

/* mov edi, STATUS; mov eax, 60; syscall */
#define CODE_AMD64                                                                                \
	{                                                                                         \
		EM_X86_64, true, false, { 0xbf, 0, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05 }, 12,  \
			1,                                                                        \
		{                                                                                 \
			0x48, 0x89, 0xe6, 0x48, 0xad, 0x48, 0x8d, 0x74, 0xc6, 0x08, 0x48, 0xad,   \
				0x48, 0x85, 0xc0, 0x75, 0xf9, 0x48, 0xad, 0x48, 0x89, 0xc2, 0x48, \
				0xad, 0x83, 0xfa, 0x09, 0x75, 0xf4, 0xff, 0xe0                    \
		}                                                                                 \
	}
/* mov ebx, STATUS; mov eax, 1; int 0x80 */
#define CODE_386                                                                                 \
	{                                                                                        \
		EM_386, false, false, { 0xbb, 0, 0, 0, 0, 0xb8, 1, 0, 0, 0, 0xcd, 0x80 }, 12, 1, \
		{                                                                                \
			0x89, 0xe6, 0xad, 0x8d, 0x74, 0x86, 0x04, 0xad, 0x85, 0xc0, 0x75, 0xfb,  \
				0xad, 0x89, 0xc2, 0xad, 0x83, 0xfa, 0x09, 0x75, 0xf7, 0xff, 0xe0 \
		}                                                                                \
	}
/* movz x0, #STATUS (filled in below); movz x8, #93; svc #0 */
#define CODE_ARM64                                                                                \
	{                                                                                         \
		EM_AARCH64, true, false,                                                          \
			{ 0, 0, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 1, 0, 0, 0xd4 }, 12, 0,       \
		{                                                                                 \
			0xe1, 0x03, 0x00, 0x91, 0x20, 0x84, 0x40, 0xf8, 0x21, 0x0c, 0x00, 0x8b,   \
				0x21, 0x20, 0x00, 0x91, 0x20, 0x84, 0x40, 0xf8, 0xe0, 0xff, 0xff, \
				0xb5, 0x22, 0x00, 0xc1, 0xa8, 0x5f, 0x24, 0x00, 0xf1, 0xc1, 0xff, \
				0xff, 0x54, 0x00, 0x00, 0x1f, 0xd6                                \
		}                                                                                 \
	}

static const struct code codes[MACHINE_N] = {
#if defined(__x86_64__)
	CODE_AMD64,
	CODE_386,
	CODE_ARM64,
#elif defined(__aarch64__)
	CODE_ARM64,
	{ 0 },
	CODE_AMD64,
#else
	{ 0 }, /* the suite skips other machines */
#endif
};

bool machine_usable(enum machine m)
{
	return codes[m].size > 0;
}

static void put(struct elf *e, size_t at, unsigned int n, uint64_t value)
{
	for (unsigned int i = 0; i < n && at + i < ELF_MAX; i++)
		e->bytes[at + (e->big ? n - 1 - i : i)] = (uint8_t)(value >> (8 * i));
}

static size_t header_at(const struct elf *e, unsigned int n)
{
	return e->wide ? sizeof(Elf64_Ehdr) + n * sizeof(Elf64_Phdr)
		       : sizeof(Elf32_Ehdr) + n * sizeof(Elf32_Phdr);
}

static void put_header(struct elf *e, unsigned int n, uint32_t type, uint64_t offset, uint64_t size)
{
	uint64_t base = e->loader ? 0 : BASE;
	uint64_t align = type == PT_LOAD ? 0x1000 : 1;

	if (e->wide) {
		Elf64_Phdr p = { .p_type = type,
				 .p_flags = PF_R | PF_X,
				 .p_offset = offset,
				 .p_vaddr = base + offset,
				 .p_paddr = base + offset,
				 .p_filesz = size,
				 .p_memsz = size,
				 .p_align = align };

		memcpy(e->bytes + header_at(e, n), &p, sizeof(p));
	} else {
		Elf32_Phdr p = { .p_type = type,
				 .p_flags = PF_R | PF_X,
				 .p_offset = (uint32_t)offset,
				 .p_vaddr = (uint32_t)(base + offset),
				 .p_paddr = (uint32_t)(base + offset),
				 .p_filesz = (uint32_t)size,
				 .p_memsz = (uint32_t)size,
				 .p_align = (uint32_t)align };

		memcpy(e->bytes + header_at(e, n), &p, sizeof(p));
	}
}

static void put_file_header(struct elf *e, uint16_t machine)
{
	memcpy(e->bytes, ELFMAG, SELFMAG);
	e->bytes[EI_CLASS] = e->wide ? ELFCLASS64 : ELFCLASS32;
	e->bytes[EI_DATA] = ELFDATA2LSB;
	e->bytes[EI_VERSION] = EV_CURRENT;
	put(e, 16, 2, e->loader ? ET_DYN : ET_EXEC);
	put(e, 18, 2, machine);
	put(e, 20, 4, EV_CURRENT);
	put(e, 24, e->wide ? 8 : 4, (e->loader ? 0 : BASE) + CODE_AT);
	put(e, e->wide ? 32 : 28, e->wide ? 8 : 4, header_at(e, 0));
	put(e, e->wide ? 52 : 40, 2, header_at(e, 0));
	put(e, e->wide ? 54 : 42, 2, header_at(e, 1) - header_at(e, 0));
	put(e, e->wide ? 56 : 44, 2, e->n_headers);
}

static void put_code(struct elf *e, const struct code *c, unsigned int status)
{
	memcpy(e->bytes + CODE_AT, c->bytes, c->size);
	if (c->machine == EM_AARCH64) /* the number is in bits 5 to 20 of the instruction */
		put(e, CODE_AT, 4, 0xd2800000u | status << 5);
	else
		e->bytes[CODE_AT + c->status] = (uint8_t)status;
}

void elf_make(struct elf *e, enum machine m, const char *loader, unsigned int status)
{
	const struct code *c = &codes[m];

	memset(e, 0, sizeof(*e));
	e->wide = c->wide;
	e->big = c->big;
	e->n_headers = loader ? 2 : 1;
	e->size = 0x500;
	put_file_header(e, c->machine);
	put_header(e, 0, PT_LOAD, 0, e->size);
	put_code(e, c, status);
	if (!loader)
		return;
	put_header(e, 1, PT_INTERP, LOADER_AT, strlen(loader) + 1);
	memcpy(e->bytes + LOADER_AT, loader, strlen(loader) + 1);
}

void elf_make_loader(struct elf *e, enum machine m)
{
	const struct code *c = &codes[m];

	memset(e, 0, sizeof(*e));
	e->loader = true;
	e->wide = c->wide;
	e->big = c->big;
	e->n_headers = 1;
	e->size = 0x500;
	put_file_header(e, c->machine);
	put_header(e, 0, PT_LOAD, 0, e->size);
	memcpy(e->bytes + CODE_AT, c->jump, sizeof(c->jump));
}

/* --- fields -------------------------------------------------------------------------------- */

/* Where a field is: in the file's header, in PT_LOAD, in the last program header; or the size. */
enum place { IN_HEADER, IN_LOAD, IN_LAST, THE_SIZE };

#define HUGE_VALUE 0x8000000000000000u
#define VALUES_MAX 14

static const struct field {
	const char *name;
	enum place place;
	uint8_t at64, n64, at32, n32;
	uint8_t n;
	uint64_t values[VALUES_MAX];
} fields[] = {
	{ "class", IN_HEADER, 4, 1, 4, 1, 5, { 0, 1, 2, 3, 255 } },
	{ "data", IN_HEADER, 5, 1, 5, 1, 5, { 0, 1, 2, 3, 255 } },
	{ "ident-version", IN_HEADER, 6, 1, 6, 1, 3, { 0, 2, 255 } },
	{ "osabi", IN_HEADER, 7, 1, 7, 1, 8, { 1, 2, 3, 6, 9, 12, 97, 255 } },
	{ "abi-version", IN_HEADER, 8, 1, 8, 1, 2, { 1, 255 } },
	{ "padding", IN_HEADER, 15, 1, 15, 1, 1, { 1 } },
	{ "type", IN_HEADER, 16, 2, 16, 2, 8, { 0, 1, 3, 4, 5, 0x200, 0xfe00, 0xffff } },
	{ "machine",
	  IN_HEADER,
	  18,
	  2,
	  18,
	  2,
	  9,
	  { 0, 2, 3, 6, EM_ARM, EM_X86_64, EM_AARCH64, 0x3e00, 0xffff } },
	{ "version", IN_HEADER, 20, 4, 20, 4, 3, { 0, 2, 0xffffffff } },
	{ "phoff", IN_HEADER, 32, 8, 28, 4, 7, { 0, 4, 0x4c8, 0x4c9, 0x4e1, 0x500, 0x7fffffff } },
	{ "e_flags", IN_HEADER, 48, 4, 36, 4, 3, { 1, 0x20, 0xffffffff } },
	{ "ehsize", IN_HEADER, 52, 2, 40, 2, 3, { 0, 63, 0xffff } },
	{ "phentsize", IN_HEADER, 54, 2, 42, 2, 7, { 0, 31, 32, 40, 55, 56, 64 } },
	{ "phnum", IN_HEADER, 56, 2, 44, 2, 7, { 0, 1, 2, 3, 20, 73, 0xffff } },
	{ "shentsize", IN_HEADER, 58, 2, 46, 2, 2, { 1, 0xffff } },
	{ "size", THE_SIZE, 0, 0, 0, 0, 10, { 4, 19, 45, 52, 63, 64, 84, 119, 120, 0x480 } },
	{ "p_type", IN_LOAD, 0, 4, 0, 4, 4, { 0, 2, 6, 0x6474e551 } },
	{ "p_flags", IN_LOAD, 4, 4, 24, 4, 4, { 0, 4, 6, 7 } },
	{ "p_offset", IN_LOAD, 8, 8, 4, 4, 6, { 1, 0x400, 0x800, 0x1000, 0x1001, HUGE_VALUE } },
	{ "p_vaddr",
	  IN_LOAD,
	  16,
	  8,
	  8,
	  4,
	  9,
	  { 0, 1, 0x1000, 0x400001, 0x400800, 0x401000, 0x10000000, 0x7ffffffff000u, HUGE_VALUE } },
	{ "p_filesz",
	  IN_LOAD,
	  32,
	  8,
	  16,
	  4,
	  8,
	  { 0, 1, 0x400, 0x4ff, 0x501, 0x1000, 0x1001, HUGE_VALUE } },
	{ "p_memsz", IN_LOAD, 40, 8, 20, 4, 6, { 0, 1, 0x4ff, 0x501, 0x2000, HUGE_VALUE } },
	{ "p_align", IN_LOAD, 48, 8, 28, 4, 7, { 0, 1, 3, 16, 0x4000, 0x10000, HUGE_VALUE } },
	{ "last p_type", IN_LAST, 0, 4, 0, 4, 5, { 0, 1, 2, PT_NOTE, 0x6474e553 } },
	{ "last p_offset",
	  IN_LAST,
	  8,
	  8,
	  4,
	  4,
	  6,
	  { 0, 0x481, 0x4ff, 0x500, 0x10000, HUGE_VALUE } },
	{ "last p_filesz",
	  IN_LAST,
	  32,
	  8,
	  16,
	  4,
	  9,
	  { 0, 1, 2, 5, 100, 0x1000, 0x1001, 0x10000, HUGE_VALUE } },
};

size_t elf_fields(void)
{
	return ARRAY_SIZE(fields);
}

size_t elf_values(size_t field)
{
	return fields[field].n;
}

void elf_set(struct elf *e, size_t field, size_t value, char *text, size_t text_size)
{
	const struct field *f = &fields[field];
	uint64_t v = f->values[value];
	size_t at = e->wide ? f->at64 : f->at32, used = strlen(text);

	(void)str_fmt(text + used, text_size - used, "%s=0x%llx ", f->name, (unsigned long long)v);
	if (f->place == THE_SIZE) {
		e->size = v;
		return;
	}
	if (f->place != IN_HEADER)
		at += header_at(e, f->place == IN_LAST ? e->n_headers - 1 : 0);
	put(e, at, e->wide ? f->n64 : f->n32, v);
}
