/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/trial_program.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"

/* Where the file is loaded, and the alignment that suits every page size there is. */
#define BASE 0x400000u
#define ALIGNMENT 0x10000u

#define UNITS_MAX 16

/*
 * Machine code as units of 1, 2 or 4 bytes in the byte order of the architecture: load argc, which
 * the System V ABIs put at the stack pointer; add 41; system call exit.
 */
struct code {
	const char *qemu; /* as in struct arch */
	uint8_t unit, n;
	bool little;	/* instructions are little-endian whatever the data is */
	uint32_t flags; /* e_flags, where those of the table's row do not do */
	uint32_t words[UNITS_MAX];
};

#define UNITS(...)                                                 \
	ARRAY_SIZE(((const uint32_t[]){ __VA_ARGS__ })), false, 0, \
	{                                                          \
		__VA_ARGS__                                        \
	}
#define UNITS_FLAGS(flags, ...)                                        \
	ARRAY_SIZE(((const uint32_t[]){ __VA_ARGS__ })), false, flags, \
	{                                                              \
		__VA_ARGS__                                            \
	}
#define UNITS_LITTLE(...)                                         \
	ARRAY_SIZE(((const uint32_t[]){ __VA_ARGS__ })), true, 0, \
	{                                                         \
		__VA_ARGS__                                       \
	}

/* mov (%rsp),%edi; add $41,%edi; mov $60,%eax; syscall */
#define X86_64 0x8b, 0x3c, 0x24, 0x83, 0xc7, 0x29, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05
/* mov (%esp),%ebx; add $41,%ebx; mov $1,%eax; int $0x80 */
#define X86 0x8b, 0x1c, 0x24, 0x83, 0xc3, 0x29, 0xb8, 0x01, 0, 0, 0, 0xcd, 0x80
#define A64 0xf94003e0, 0x9100a400, 0xd2800ba8, 0xd4000001
#define A32 0xe59d0000, 0xe2800029, 0xe3a07001, 0xef000000
#define PPC64 0xe8610000, 0x38630029, 0x38000001, 0x44000002
#define PPC 0x80610000, 0x38630029, 0x38000001, 0x44000002
#define MIPS_O32 0x8fa40000, 0x24840029, 0x24020fa1, 0x0000000c
#define MIPS_N32_CODE 0x8fa40000, 0x24840029, 0x240217aa, 0x0000000c
#define MIPS_N64 0xdfa40000, 0x24840029, 0x240213c2, 0x0000000c
#define SH4 0x64f2, 0x7429, 0xe301, 0xc310, 0x0009
#define SPARC 0xd003a040, 0x90022029, 0x82102001, 0x91d02010
#define MICROBLAZE 0xe8a10000, 0x30a50029, 0x31800001, 0xb9cc0008

#define EABI5_HARD 0x05000400u
#define EABI5_BE 0x05000000u
#define ELFV2 2u
#define HEXAGON_V67 0x67u

static const struct code codes[] = {
	{ "x86_64", 1, UNITS(X86_64) },
	{ "i386", 1, UNITS(X86) },
	{ "aarch64", 4, UNITS(A64) },
	{ "aarch64_be", 4, UNITS_LITTLE(A64) },
	{ "arm", 4, UNITS_FLAGS(EABI5_HARD, A32) },
	{ "armeb", 4, UNITS_FLAGS(EABI5_BE, A32) },
	{ "riscv64", 4, UNITS(0x00013503, 0x02950513, 0x05d00893, 0x00000073) },
	{ "riscv32", 4, UNITS(0x00012503, 0x02950513, 0x05d00893, 0x00000073) },
	{ "s390x", 2, UNITS(0xe320, 0xf000, 0x0004, 0xa72b, 0x0029, 0x0a01) },
	{ "ppc64le", 4, UNITS_FLAGS(ELFV2, PPC64) },
	{ "ppc64", 4, UNITS_FLAGS(ELFV2, PPC64) },
	{ "ppc", 4, UNITS(PPC) },
	{ "mips", 4, UNITS(MIPS_O32) },
	{ "mipsel", 4, UNITS(MIPS_O32) },
	{ "mipsn32", 4, UNITS(MIPS_N32_CODE) },
	{ "mipsn32el", 4, UNITS(MIPS_N32_CODE) },
	{ "mips64", 4, UNITS(MIPS_N64) },
	{ "mips64el", 4, UNITS(MIPS_N64) },
	{ "loongarch64", 4, UNITS(0x28c00064, 0x02c0a484, 0x0281740b, 0x002b0000) },
	{ "sparc64", 4, UNITS(0xd05ba87f, 0x90022029, 0x82102001, 0x91d0206d) },
	{ "sparc", 4, UNITS(SPARC) },
	{ "sparc32plus", 4, UNITS(SPARC) },
	{ "alpha", 4, UNITS(0xa61e0000, 0x22100029, 0x201f0001, 0x00000083) },
	{ "hppa", 4, UNITS(0x373a0052, 0xe4008200, 0x34140002) },
	{ "m68k", 2, UNITS(0x2217, 0x7029, 0xd280, 0x7001, 0x4e40) },
	{ "sh4", 2, UNITS(SH4) },
	{ "sh4eb", 2, UNITS(SH4) },
	{ "microblaze", 4, UNITS(MICROBLAZE) },
	{ "microblazeel", 4, UNITS(MICROBLAZE) },
	{ "or1k", 4, UNITS(0x84610000, 0x9c630029, 0x9d60005d, 0x20000001) },
	{ "xtensa", 1,
	  UNITS(0x62, 0x21, 0x00, 0x62, 0xc6, 0x29, 0x22, 0xa0, 0x76, 0x00, 0x50, 0x00) },
	{ "hexagon", 4, UNITS_FLAGS(HEXAGON_V67, 0x919dc000, 0xb000c520, 0x7800cba6, 0x5400c004) },
	{ "nios2", 4, UNITS(0xd9000017, 0x21000a44, 0x00801744, 0x003b683a) },
};

static const struct code *code_for(const struct arch *a)
{
	for (size_t i = 0; a->qemu && i < ARRAY_SIZE(codes); i++)
		if (str_eq(codes[i].qemu, a->qemu))
			return &codes[i];
	return NULL;
}

static void put(uint8_t *at, uint64_t value, unsigned int n, bool big)
{
	for (unsigned int i = 0; i < n; i++)
		at[big ? n - 1 - i : i] = (uint8_t)(value >> (8 * i));
}

/* One loaded segment: the whole file, at BASE. */
static void put_segment(uint8_t *at, bool wide, bool big, uint64_t size)
{
	unsigned int w = wide ? 8 : 4;
	uint8_t *p = at + (wide ? 8 : 4); /* 32-bit headers have p_flags near the end */

	put(at, PT_LOAD, 4, big);
	if (wide)
		put(at + 4, PF_R | PF_X, 4, big);
	put(p + w, BASE, w, big);     /* p_vaddr; p_offset before it is 0 */
	put(p + 2 * w, BASE, w, big); /* p_paddr */
	put(p + 3 * w, size, w, big); /* p_filesz */
	put(p + 4 * w, size, w, big); /* p_memsz */
	if (!wide)
		put(at + 24, PF_R | PF_X, 4, big);
	put(at + (wide ? 48 : 28), ALIGNMENT, w, big);
}

/* What is before the code: the ELF header and one program header. */
static size_t code_at(const struct arch *a)
{
	return a->cls == ELFCLASS64 ? 64 + 56 : 52 + 32;
}

size_t trial_wrap(const struct arch *a, uint32_t flags, uint8_t *file, size_t n)
{
	bool wide = a->cls == ELFCLASS64, big = a->order == ELFDATA2MSB;
	size_t at = code_at(a), size = at + n;

	memmove(file + at, file, n);
	memset(file, 0, at);
	arch_header(a, file);
	put(file + 24, BASE + at, wide ? 8 : 4, big); /* e_entry */
	if (flags)
		put(file + (wide ? 48 : 36), flags, 4, big);
	put_segment(file + (wide ? 64 : 52), wide, big, size);
	return size;
}

size_t trial_build(const struct arch *a, uint8_t ret[TRIAL_MAX])
{
	const struct code *c = code_for(a);
	bool big = a->order == ELFDATA2MSB;

	if (!c)
		return 0;
	for (size_t i = 0; i < c->n; i++)
		put(ret + i * c->unit, c->words[i], c->unit, big && !c->little);
	return trial_wrap(a, c->flags, ret, (size_t)c->n * c->unit);
}

int trial_file(const uint8_t *bytes, size_t n, int *ret_fd, struct err *err)
{
	CLEANUP_FD int fd = memfd_create("crossarch-probe", MFD_CLOEXEC);
	char path[32];

	if (fd < 0 || fd_write_all(fd, bytes, n) < 0 || fchmod(fd, 0755) < 0)
		return err_sys(err, ERR_IO, "make the built-in program");
	(void)str_fmt(path, sizeof(path), "/proc/self/fd/%d", fd);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*ret_fd < 0)
		return err_sys(err, ERR_IO, "open the built-in program");
	return 0;
}

int trial_open(const struct arch *a, int *ret_fd, struct err *err)
{
	uint8_t bytes[TRIAL_MAX];
	size_t n = trial_build(a, bytes);

	if (!n)
		return err_set(err, ERR_UNSUPPORTED, "there is no built-in program for %s",
			       a->name);
	return trial_file(bytes, n, ret_fd, err);
}
