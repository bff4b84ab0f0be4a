/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <string.h>

#include "runtime/arch/table.h"
#include "tests/verdicts/trees/trees.h"

/* Values that have broken readers of ELF files before: at and around every power of two. */
static uint64_t absurd(struct tree *t)
{
	uint64_t power = 1ull << tree_random(t, 64);

	switch (tree_random(t, 4)) {
	case 0:
		return power;
	case 1:
		return power - 1;
	case 2:
		return -power;
	default:
		return tree_random(t, 256);
	}
}

/* Both classes and orders occur among the rows; the writers below use the wide, little one. */
static size_t wide(uint8_t *bytes, uint16_t phnum)
{
	Elf64_Ehdr e = { .e_type = ET_DYN,
			 .e_machine = EM_X86_64,
			 .e_version = EV_CURRENT,
			 .e_entry = 0x1000,
			 .e_phoff = sizeof(e),
			 .e_ehsize = sizeof(e),
			 .e_phentsize = sizeof(Elf64_Phdr),
			 .e_phnum = phnum };

	memcpy(e.e_ident, ELFMAG, SELFMAG);
	e.e_ident[EI_CLASS] = ELFCLASS64;
	e.e_ident[EI_DATA] = ELFDATA2LSB;
	e.e_ident[EI_VERSION] = EV_CURRENT;
	memcpy(bytes, &e, sizeof(e));
	return sizeof(e);
}

size_t elf_header(struct tree *t, unsigned int variant, uint8_t *bytes, size_t max)
{
	size_t n_rows, size = 64 + tree_random(t, max - 64);
	const struct arch *rows = arch_rows(&n_rows);
	uint64_t value = absurd(t);

	memset(bytes, 0, size);
	arch_header(&rows[tree_random(t, n_rows)], bytes);
	switch (variant % 4) {
	case 0: /* offset of the program headers, in either class */
		memcpy(bytes + 28, &value, 4);
		value = absurd(t);
		memcpy(bytes + 32, &value, 8);
		break;
	case 1: /* their size and number, in either class */
		memcpy(bytes + 42, &value, 4);
		memcpy(bytes + 54, &value, 4);
		break;
	case 2: /* any byte */
		bytes[tree_random(t, 64)] ^= (uint8_t)(1u << tree_random(t, 8));
		bytes[tree_random(t, 64)] = (uint8_t)value;
		break;
	default: /* cut off anywhere in the header */
		size = 4 + tree_random(t, 61);
	}
	return size;
}

size_t elf_segments(struct tree *t, unsigned int variant, uint8_t *bytes, size_t max)
{
	static const uint32_t types[] = { PT_LOAD, PT_INTERP, PT_DYNAMIC, 0x6474e553, PT_PHDR };
	uint16_t n = (uint16_t)(1 + tree_random(t, 12));
	size_t at;

	if (variant % 5 == 0)
		n = (uint16_t)(0x10000 / sizeof(Elf64_Phdr)); /* as many as the kernel takes */
	at = wide(bytes, n);
	for (uint16_t i = 0; i < n && at + sizeof(Elf64_Phdr) <= max; i++) {
		Elf64_Phdr p = { .p_type = types[tree_random(t, ARRAY_SIZE(types))],
				 .p_flags = (uint32_t)tree_random(t, 8),
				 .p_offset = absurd(t),
				 .p_vaddr = absurd(t),
				 .p_filesz = absurd(t),
				 .p_memsz = absurd(t),
				 .p_align = absurd(t) };

		if (p.p_type == PT_INTERP && variant % 3)
			p.p_offset = tree_random(t, max), p.p_filesz = 2 + tree_random(t, 300);
		memcpy(bytes + at, &p, sizeof(p));
		at += sizeof(p);
	}
	return at;
}

size_t elf_with_interp(unsigned int row, const char *interp, uint8_t *bytes, size_t max)
{
	Elf64_Phdr p[2] = { { .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x1000 },
			    { .p_type = PT_INTERP, .p_flags = PF_R } };
	size_t n_rows, at = wide(bytes, 2), length = strlen(interp) + 1, i;
	const struct arch *rows = arch_rows(&n_rows);
	uint16_t machine = EM_X86_64;

	for (i = row % n_rows; rows[i].cls != ELFCLASS64 || rows[i].order != ELFDATA2LSB;)
		i = (i + 1) % n_rows;
	if (row)
		machine = rows[i].machine;
	memcpy(bytes + offsetof(Elf64_Ehdr, e_machine), &machine, sizeof(machine));
	p[0].p_filesz = p[0].p_memsz = at + sizeof(p) + length;
	p[1].p_offset = at + sizeof(p);
	p[1].p_filesz = p[1].p_memsz = length;
	ASSERT(at + sizeof(p) + length <= max);
	memcpy(bytes + at, p, sizeof(p));
	memcpy(bytes + at + sizeof(p), interp, length);
	return at + sizeof(p) + length;
}
