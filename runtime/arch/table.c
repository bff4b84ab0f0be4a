/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/arch/table.h"

#include <elf.h>
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

#define LE32 .cls = ELFCLASS32, .order = ELFDATA2LSB
#define BE32 .cls = ELFCLASS32, .order = ELFDATA2MSB
#define LE64 .cls = ELFCLASS64, .order = ELFDATA2LSB
#define BE64 .cls = ELFCLASS64, .order = ELFDATA2MSB

/* Machines that the <elf.h> of older distributions does not name. */
#define MACHINE_I486 6
#define MACHINE_HEXAGON 164
#define MACHINE_LOONGARCH 258

#define ARM_FLOAT 0x600u /* EF_ARM_ABI_FLOAT_SOFT | EF_ARM_ABI_FLOAT_HARD */
#define ARM_SOFT 0x200u
#define ARM_HARD 0x400u
#define MIPS_N32 0x20u /* EF_MIPS_ABI2 */
#define PPC64_ABI 3u
#define LOADERS(...)        \
	{                   \
		__VA_ARGS__ \
	}

/*
 * In the order of struct arch: name, abi, processor, aliases, qemu, compat_of, seccomp, machine,
 * class and order, flags_mask, flags, and the rest by name. Sources: the ELF psABI supplements
 * for flags, qemu's scripts/qemu-binfmt-conf.sh for its targets, glibc's and musl's own file names
 * for loaders, elf_check_arch() in the asm/elf.h of each architecture in Linux for any_class.
 */
static const struct arch rows[] = {
	{ "amd64", "", "x86-64", "x86_64 x86-64", "x86_64", NULL, "SCMP_ARCH_X86_64", EM_X86_64,
	  LE64, .oci = true,
	  .loaders = LOADERS("/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1"),
	  .any_class = true },
	{ "x32", "x32 ABI", "x86-64", "", NULL, NULL, "SCMP_ARCH_X32", EM_X86_64, LE32,
	  .loaders = LOADERS("/libx32/ld-linux-x32.so.2", "/lib/ld-musl-x32.so.1") },
	{ "386", "", "x86", "i386 i586 i686 x86", "i386", "amd64", "SCMP_ARCH_X86", EM_386, LE32,
	  .oci = true, .loaders = LOADERS("/lib/ld-linux.so.2", "/lib/ld-musl-i386.so.1"),
	  .any_class = true },
	{ "i486", "machine number 6", "x86", "", "i386", "amd64", "SCMP_ARCH_X86", MACHINE_I486,
	  LE32, .loaders = LOADERS("/lib/ld-linux.so.2"), .any_class = true },
	{ "arm64", "", "AArch64", "aarch64", "aarch64", NULL, "SCMP_ARCH_AARCH64", EM_AARCH64, LE64,
	  .oci = true,
	  .loaders = LOADERS("/lib/ld-linux-aarch64.so.1", "/lib/ld-musl-aarch64.so.1"),
	  .any_class = true },
	{ "arm64be", "", "AArch64", "aarch64_be", "aarch64_be", NULL, NULL, EM_AARCH64, BE64,
	  .loaders = LOADERS("/lib/ld-linux-aarch64_be.so.1", "/lib/ld-musl-aarch64_be.so.1") },
	{ "arm", "hard-float", "Arm", "armhf armv7l armv7 armv8l", "arm", "arm64", "SCMP_ARCH_ARM",
	  EM_ARM, LE32, ARM_FLOAT, ARM_HARD, .oci = true,
	  .loaders = LOADERS("/lib/ld-linux-armhf.so.3", "/lib/ld-musl-armhf.so.1"),
	  .any_class = true },
	{ "arm", "soft-float", "Arm", "armel armv6l armv5l", "arm", "arm64", "SCMP_ARCH_ARM",
	  EM_ARM, LE32, ARM_FLOAT, ARM_SOFT, .oci = true,
	  .loaders = LOADERS("/lib/ld-linux.so.3", "/lib/ld-musl-arm.so.1"), .any_class = true },
	{ "arm", "", "Arm", "", "arm", "arm64", "SCMP_ARCH_ARM", EM_ARM, LE32, ARM_FLOAT, 0,
	  .oci = true, .loaders = LOADERS("/lib/ld-linux.so.3", "/lib/ld-linux.so.2"),
	  .any_class = true },
	{ "armeb", "", "Arm", "armbe", "armeb", NULL, NULL, EM_ARM, BE32 },
	{ "ppc64le", "", "PowerPC", "ppc64el powerpc64le", "ppc64le", NULL, "SCMP_ARCH_PPC64LE",
	  EM_PPC64, LE64, .oci = true,
	  .loaders = LOADERS("/lib64/ld64.so.2", "/lib/ld-musl-powerpc64le.so.1"),
	  .any_class = true },
	{ "ppc64", "", "PowerPC", "powerpc64", "ppc64", NULL, "SCMP_ARCH_PPC64", EM_PPC64, BE64,
	  PPC64_ABI, 0, .oci = true, .loaders = LOADERS("/lib64/ld64.so.1"), .any_class = true },
	{ "ppc64", "ELFv1 ABI", "PowerPC", "", "ppc64", NULL, "SCMP_ARCH_PPC64", EM_PPC64, BE64,
	  PPC64_ABI, 1, .oci = true, .loaders = LOADERS("/lib64/ld64.so.1"), .any_class = true },
	{ "ppc64", "ELFv2 ABI", "PowerPC", "", "ppc64", NULL, "SCMP_ARCH_PPC64", EM_PPC64, BE64,
	  PPC64_ABI, 2, .oci = true,
	  .loaders = LOADERS("/lib64/ld64.so.2", "/lib/ld-musl-powerpc64.so.1"),
	  .any_class = true },
	{ "ppc", "", "PowerPC", "powerpc", "ppc", "ppc64", "SCMP_ARCH_PPC", EM_PPC, BE32,
	  .loaders = LOADERS("/lib/ld.so.1", "/lib/ld-musl-powerpc.so.1"), .any_class = true },
	{ "s390x", "", "S/390", "", "s390x", NULL, "SCMP_ARCH_S390X", EM_S390, BE64, .oci = true,
	  .loaders = LOADERS("/lib/ld64.so.1", "/lib/ld-musl-s390x.so.1") },
	{ "s390", "", "S/390", "", NULL, "s390x", "SCMP_ARCH_S390", EM_S390, BE32, .oci = true,
	  .loaders = LOADERS("/lib/ld.so.1") },
	{ "riscv64", "", "RISC-V", "", "riscv64", NULL, "SCMP_ARCH_RISCV64", EM_RISCV, LE64,
	  .oci = true,
	  .loaders = LOADERS("/lib/ld-linux-riscv64-lp64d.so.1", "/lib/ld-musl-riscv64.so.1") },
	{ "riscv32", "", "RISC-V", "", "riscv32", "riscv64", NULL, EM_RISCV, LE32,
	  .loaders = LOADERS("/lib/ld-linux-riscv32-ilp32d.so.1", "/lib/ld-musl-riscv32.so.1") },
	{ "loong64", "", "LoongArch", "loongarch64", "loongarch64", NULL, "SCMP_ARCH_LOONGARCH64",
	  MACHINE_LOONGARCH, LE64, .oci = true,
	  .loaders = LOADERS("/lib64/ld-linux-loongarch-lp64d.so.1",
			     "/lib/ld-musl-loongarch64.so.1") },
	{ "mips64", "", "MIPS", "", "mips64", NULL, "SCMP_ARCH_MIPS64", EM_MIPS, BE64, .oci = true,
	  .loaders = LOADERS("/lib64/ld.so.1", "/lib/ld-musl-mips64.so.1") },
	{ "mips64le", "", "MIPS", "mips64el", "mips64el", NULL, "SCMP_ARCH_MIPSEL64", EM_MIPS, LE64,
	  .oci = true, .loaders = LOADERS("/lib64/ld.so.1", "/lib/ld-musl-mips64el.so.1") },
	{ "mips", "", "MIPS", "", "mips", "mips64", "SCMP_ARCH_MIPS", EM_MIPS, BE32, MIPS_N32, 0,
	  .oci = true, .loaders = LOADERS("/lib/ld.so.1", "/lib/ld-musl-mips.so.1") },
	{ "mipsle", "", "MIPS", "mipsel", "mipsel", "mips64le", "SCMP_ARCH_MIPSEL", EM_MIPS, LE32,
	  MIPS_N32, 0, .oci = true,
	  .loaders = LOADERS("/lib/ld.so.1", "/lib/ld-musl-mipsel.so.1") },
	{ "mipsn32", "n32 ABI", "MIPS", "", "mipsn32", "mips64", "SCMP_ARCH_MIPS64N32", EM_MIPS,
	  BE32, MIPS_N32, MIPS_N32, .oci = false,
	  .loaders = LOADERS("/lib32/ld.so.1", "/lib/ld-musl-mipsn32.so.1") },
	{ "mipsn32el", "n32 ABI", "MIPS", "", "mipsn32el", "mips64le", "SCMP_ARCH_MIPSEL64N32",
	  EM_MIPS, LE32, MIPS_N32, MIPS_N32, .oci = false,
	  .loaders = LOADERS("/lib32/ld.so.1", "/lib/ld-musl-mipsn32el.so.1") },
	{ "sparc64", "", "SPARC", "", "sparc64", NULL, NULL, EM_SPARCV9, BE64, .oci = true,
	  .loaders = LOADERS("/lib64/ld-linux.so.2") },
	{ "sparc", "", "SPARC", "", "sparc", "sparc64", NULL, EM_SPARC, BE32, .oci = true,
	  .loaders = LOADERS("/lib/ld-linux.so.2") },
	{ "sparc32plus", "v8plus", "SPARC", "", "sparc32plus", "sparc64", NULL, EM_SPARC32PLUS,
	  BE32, .loaders = LOADERS("/lib/ld-linux.so.2") },
	{ "alpha", "", "Alpha", "", "alpha", NULL, NULL, EM_ALPHA, LE64,
	  .loaders = LOADERS("/lib/ld-linux.so.2") },
	{ "hppa", "", "PA-RISC", "parisc", "hppa", NULL, "SCMP_ARCH_PARISC", EM_PARISC, BE32,
	  .loaders = LOADERS("/lib/ld.so.1") },
	{ "m68k", "", "Motorola 68000", "", "m68k", NULL, "SCMP_ARCH_M68K", EM_68K, BE32,
	  .loaders = LOADERS("/lib/ld.so.1", "/lib/ld-musl-m68k.so.1") },
	{ "sh4", "", "SuperH", "sh4a", "sh4", NULL, "SCMP_ARCH_SH", EM_SH, LE32,
	  .loaders = LOADERS("/lib/ld-linux.so.2", "/lib/ld-musl-sh.so.1") },
	{ "sh4eb", "", "SuperH", "", "sh4eb", NULL, "SCMP_ARCH_SHEB", EM_SH, BE32,
	  .loaders = LOADERS("/lib/ld-linux.so.2", "/lib/ld-musl-sheb.so.1") },
	{ "microblaze", "", "MicroBlaze", "", "microblaze", NULL, NULL, EM_MICROBLAZE, BE32,
	  .loaders = LOADERS("/lib/ld.so.1", "/lib/ld-musl-microblaze.so.1") },
	{ "microblazeel", "", "MicroBlaze", "", "microblazeel", NULL, NULL, EM_MICROBLAZE, LE32,
	  .loaders = LOADERS("/lib/ld.so.1", "/lib/ld-musl-microblazeel.so.1") },
	{ "or1k", "", "OpenRISC", "openrisc", "or1k", NULL, NULL, EM_OPENRISC, BE32,
	  .loaders = LOADERS("/lib/ld-linux-or1k.so.1", "/lib/ld-musl-or1k.so.1") },
	{ "xtensa", "", "Xtensa", "", "xtensa", NULL, NULL, EM_XTENSA, LE32,
	  .loaders = LOADERS("/lib/ld.so.1") },
	{ "xtensaeb", "", "Xtensa", "", "xtensaeb", NULL, NULL, EM_XTENSA, BE32,
	  .loaders = LOADERS("/lib/ld.so.1") },
	{ "hexagon", "", "Hexagon", "", "hexagon", NULL, NULL, MACHINE_HEXAGON, LE32,
	  .loaders = LOADERS("/lib/ld-musl-hexagon.so.1") },
	{ "cris", "", "CRIS", "", "cris", NULL, NULL, EM_CRIS, LE32, .loaders = LOADERS(NULL) },
	{ "nios2", "", "Nios II", "", "nios2", NULL, NULL, EM_ALTERA_NIOS2, LE32,
	  .loaders = LOADERS("/lib/ld-linux-nios2.so.1") },
	{ "tilegx", "", "TILE-Gx", "", "tilegx", NULL, NULL, EM_TILEGX, LE64,
	  .loaders = LOADERS("/lib/ld.so.1") },
};

const struct arch *arch_rows(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(rows);
	return rows;
}

const struct arch *arch_of_elf(uint16_t machine, uint8_t cls, uint8_t order, uint32_t flags)
{
	const struct arch *near = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct arch *a = &rows[i];

		if (a->machine != machine || a->cls != cls || a->order != order)
			continue;
		if ((flags & a->flags_mask) == a->flags)
			return a;
		if (!near || !a->flags)
			near = a;
	}
	return near;
}

const struct arch *arch_by_name(const char *name, size_t n)
{
	if (!n)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strlen(rows[i].name) == n && memcmp(rows[i].name, name, n) == 0)
			return &rows[i];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (str_lists(rows[i].aliases, name, n))
			return &rows[i];
	return NULL;
}

static void put(uint8_t *at, uint64_t value, unsigned int n, uint8_t order)
{
	for (unsigned int i = 0; i < n; i++)
		at[order == ELFDATA2MSB ? n - 1 - i : i] = (uint8_t)(value >> (8 * i));
}

void arch_header(const struct arch *a, uint8_t ret[ARCH_HEADER])
{
	bool wide = a->cls == ELFCLASS64;

	memset(ret, 0, ARCH_HEADER);
	memcpy(ret, ELFMAG, SELFMAG);
	ret[EI_CLASS] = a->cls;
	ret[EI_DATA] = a->order;
	ret[EI_VERSION] = EV_CURRENT;
	put(ret + 16, ET_EXEC, 2, a->order);
	put(ret + 18, a->machine, 2, a->order);
	put(ret + 20, EV_CURRENT, 4, a->order);
	put(ret + (wide ? 32 : 28), wide ? 64 : 52, wide ? 8 : 4, a->order); /* e_phoff */
	put(ret + (wide ? 48 : 36), a->flags, 4, a->order);
	put(ret + (wide ? 52 : 40), wide ? 64 : 52, 2, a->order); /* e_ehsize */
	put(ret + (wide ? 54 : 42), wide ? 56 : 32, 2, a->order); /* e_phentsize */
	put(ret + (wide ? 56 : 44), 1, 2, a->order);		  /* e_phnum */
}
