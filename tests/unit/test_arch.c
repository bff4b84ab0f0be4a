/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <string.h>

#include "runtime/arch/platform.h"
#include "runtime/arch/table.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/image/ident.h"

/* Every row's own header is read back as that row, and belongs to no other. */
static void every_row_is_recognised(void **state)
{
	size_t n;
	const struct arch *rows = arch_rows(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		uint8_t head[ARCH_HEADER];
		struct ident id;
		int owners = 0;

		arch_header(&rows[i], head);
		assert_int_equal(ident_read(head, sizeof(head), &id), IDENT_ELF);
		assert_int_equal(id.machine, rows[i].machine);
		assert_ptr_equal(arch_of_elf(id.machine, id.cls, id.order, id.flags), &rows[i]);
		assert_true(ident_table_size(&id) > 0);
		for (size_t k = 0; k < n; k++)
			owners += rows[k].machine == id.machine && rows[k].cls == id.cls &&
				  rows[k].order == id.order &&
				  (id.flags & rows[k].flags_mask) == rows[k].flags;
		assert_int_equal(owners, 1);
	}
}

static void every_name_leads_to_its_row(void **state)
{
	size_t n;
	const struct arch *rows = arch_rows(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const struct arch *a = arch_by_name(rows[i].name, strlen(rows[i].name));

		assert_non_null(a);
		assert_string_equal(a->name, rows[i].name);
		assert_int_equal(a->machine, rows[i].machine);
		if (rows[i].qemu && a->qemu)
			assert_string_equal(a->qemu, rows[i].qemu);
		if (rows[i].compat_of)
			assert_non_null(arch_by_name(rows[i].compat_of, strlen(rows[i].compat_of)));
	}
}

static void other_spellings(void **state)
{
	static const char *const pairs[][2] = {
		{ "x86_64", "amd64" },	    { "aarch64", "arm64" },	  { "i686", "386" },
		{ "ppc64el", "ppc64le" },   { "armv7l", "arm" },	  { "mipsel", "mipsle" },
		{ "mips64el", "mips64le" }, { "loongarch64", "loong64" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		assert_string_equal(arch_by_name(pairs[i][0], strlen(pairs[i][0]))->name,
				    pairs[i][1]);
	assert_null(arch_by_name("", 0));
	assert_null(arch_by_name("arm6", 4));
	assert_null(arch_by_name("armhf armv7l", 12));
}

static void odd_flags_fall_back(void **state)
{
	(void)state;
	/* Both float bits at once is no ABI; it is still an Arm program. */
	assert_string_equal(arch_of_elf(EM_ARM, ELFCLASS32, ELFDATA2LSB, 0x600)->name, "arm");
	assert_string_equal(arch_of_elf(EM_ARM, ELFCLASS32, ELFDATA2LSB, 0x5000400)->abi,
			    "hard-float");
	assert_null(arch_of_elf(0xfffe, ELFCLASS64, ELFDATA2LSB, 0));
	assert_null(arch_of_elf(EM_X86_64, ELFCLASS64, ELFDATA2MSB, 0));
}

static void platforms_are_normalised(void **state)
{
	static const char *const rows[][2] = {
		{ "linux/amd64", "linux/amd64" },	{ "linux/amd64/v1", "linux/amd64" },
		{ "linux/amd64/v3", "linux/amd64/v3" }, { "linux/arm64/v8", "linux/arm64" },
		{ "Linux/AArch64", "linux/arm64" },	{ "arm64", "linux/arm64" },
		{ "linux/arm", "linux/arm/v7" },	{ "linux/armhf", "linux/arm/v7" },
		{ "linux/armel", "linux/arm/v6" },	{ "linux/arm/6", "linux/arm/v6" },
		{ "linux/x86_64", "linux/amd64" },	{ "linux/i386", "linux/386" },
		{ "windows/amd64", "windows/amd64" },	{ "linux/arm64/v9", "linux/arm64/v9" },
		{ "linux/nobody", "linux/nobody" },
	};
	char text[PLATFORM_TEXT];
	struct platform p;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(platform_parse(rows[i][0], &p, &err), 0);
		platform_format(&p, text);
		assert_string_equal(text, rows[i][1]);
	}
}

static void bad_platforms(void **state)
{
	static const char *const bad[] = {
		"",
		"/",
		"linux/",
		"/amd64",
		"linux//v7",
		"linux/a/b/c",
		"linux/a/b/",
		"linux/a b",
		"lin\nux",
		"linux/arm64/",
		"linux/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};
	struct platform p;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(platform_parse(bad[i], &p, &err), -1);
}

static void only_linux_has_rows(void **state)
{
	struct platform p;
	struct err err;

	(void)state;
	assert_int_equal(platform_parse("windows/amd64", &p, &err), 0);
	assert_null(platform_arch(&p));
	assert_int_equal(platform_parse("linux/riscv64", &p, &err), 0);
	assert_string_equal(platform_arch(&p)->name, "riscv64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_recognised),
		cmocka_unit_test(every_name_leads_to_its_row),
		cmocka_unit_test(other_spellings),
		cmocka_unit_test(odd_flags_fall_back),
		cmocka_unit_test(platforms_are_normalised),
		cmocka_unit_test(bad_platforms),
		cmocka_unit_test(only_linux_has_rows),
	};

	return cmocka_run_group_tests_name("arch", tests, NULL, NULL);
}
