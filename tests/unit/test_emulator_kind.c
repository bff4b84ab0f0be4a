/* SPDX-License-Identifier: Apache-2.0 */
/* Emulators of other makers: handlers as they were found on such machines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/binfmt/emulator_kind.h"
#include "runtime/binfmt/locate.h"
#include "runtime/binfmt/registry.h"

#define OF_AMD64 "offset 0\nmagic 7f454c4602010100000000000000000002003e00\n"
#define OF_386 "offset 0\nmagic 7f454c4601010100000000000000000002000300\n"

static const struct {
	const char *name, *text;
	const char *kind, *guest;
	uint32_t flags;
	bool foreign;
} found[] = {
	/* lima and colima, a virtual machine of Apple's framework */
	{ "rosetta",
	  "enabled\ninterpreter /mnt/lima-rosetta/rosetta\nflags: OCF\n" OF_AMD64
	  "mask fffffffffffefe00fffffffffffffffffeffffff\n",
	  "rosetta", "amd64", BINFMT_O | BINFMT_C | BINFMT_F, true },
	/* podman machine; the same mounted elsewhere by UTM and apple/container */
	{ "rosetta",
	  "enabled\ninterpreter /var/mnt/rosetta\nflags: OCF\n" OF_AMD64
	  "mask fffffffffffefe00fffffffffffffffffeffffff\n",
	  "rosetta", "amd64", BINFMT_O | BINFMT_C | BINFMT_F, true },
	{ "RosettaLinux",
	  "enabled\ninterpreter /run/rosetta/rosetta\nflags: F\n" OF_AMD64
	  "mask fffffffffffefe00fffffffffffffffffeffffff\n",
	  "rosetta", "amd64", BINFMT_F, true },
	/* whoever hides the file behind a name of his own */
	{ "rosetta",
	  "enabled\ninterpreter /opt/x86/run\nflags: POCF\n" OF_AMD64
	  "mask fffffffffffefe00fffffffffffffffffeffffff\n",
	  "rosetta", "amd64", BINFMT_P | BINFMT_O | BINFMT_C | BINFMT_F, true },
	/* box64's own installation, with BOX32 */
	{ "box64",
	  "enabled\ninterpreter /usr/local/bin/box64\nflags: \n" OF_AMD64
	  "mask ffffffffffffff0000000000fffffffffeffffff\n",
	  "box64", "amd64", 0, true },
	{ "box32",
	  "enabled\ninterpreter /usr/local/bin/box64\nflags: \n" OF_386
	  "mask ffffffffffffff00fffffffffffffffffeffffff\n",
	  "box64", "386", 0, true },
	{ "box86",
	  "enabled\ninterpreter /usr/local/bin/box86\nflags: \n" OF_386
	  "mask ffffffffffffff00fffffffffffffffffeffffff\n",
	  "box86", "386", 0, true },
	{ "crossarch-amd64",
	  "enabled\ninterpreter /usr/local/bin/box64-static\nflags: F\n" OF_AMD64
	  "mask ffffffffffffff000000000000000000feffffff\n",
	  "box64", "amd64", BINFMT_F, false },
	/* FEX's packages, before and after the change of its name */
	{ "FEX-x86_64",
	  "enabled\ninterpreter /usr/bin/FEX\nflags: POCF\n" OF_AMD64
	  "mask fffffffffffefe0000000000fffffffffeffffff\n",
	  "fex", "amd64", BINFMT_P | BINFMT_O | BINFMT_C | BINFMT_F, true },
	{ "FEX-x86",
	  "enabled\ninterpreter /usr/bin/FEXInterpreter\nflags: POCF\n" OF_386
	  "mask fffffffffffefe0000000000fffffffffeffffff\n",
	  "fex", "386", BINFMT_P | BINFMT_O | BINFMT_C | BINFMT_F, true },
	/* a handler says another name than its interpreter does (FEX-Emu/FEX#3593): the file counts
	 */
	{ "box64",
	  "enabled\ninterpreter /usr/bin/FEXInterpreter\nflags: POCF\n" OF_AMD64
	  "mask fffffffffffefe00000000000fffffffffefffff\n",
	  "fex", "amd64", BINFMT_P | BINFMT_O | BINFMT_C | BINFMT_F, true },
	{ "box64",
	  "enabled\ninterpreter /usr/local/bin/qemu-x86_64-static\nflags: OCF\n" OF_AMD64
	  "mask fffffffffffffffcfffffffffffffffffcffffff\n",
	  "qemu", "amd64", BINFMT_O | BINFMT_C | BINFMT_F, false },
	/* Debian, tonistiigi/binfmt, OrbStack's, multiarch/qemu-user-static, somebody's */
	{ "qemu-x86_64",
	  "enabled\ninterpreter /usr/libexec/qemu-binfmt/x86_64-binfmt-P\nflags: POCF\n" OF_AMD64
	  "mask fffffffffffefe00fffffffffffffffffeffffff\n",
	  "qemu", "amd64", BINFMT_P | BINFMT_O | BINFMT_C | BINFMT_F, false },
	{ "qemu-x86_64",
	  "enabled\ninterpreter /usr/bin/qemu-x86_64\nflags: POCF\n" OF_AMD64
	  "mask fffffffffffefe00fffffffffffffffffeffffff\n",
	  "qemu", "amd64", BINFMT_P | BINFMT_O | BINFMT_C | BINFMT_F, false },
	{ "qemu-x86_64",
	  "enabled\ninterpreter /usr/bin/qemu-x86_64-static\nflags: F\n" OF_AMD64
	  "mask fffffffffffefe00fffffffffffffffffeffffff\n",
	  "qemu", "amd64", BINFMT_F, false },
	{ "x86",
	  "enabled\ninterpreter /opt/wrapped/run-x86_64\nflags: F\n" OF_AMD64
	  "mask fffffffffffefe00fffffffffffffffffeffffff\n",
	  "unknown", "amd64", BINFMT_F, false },
};

static void as_they_were_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(found); i++) {
		const struct arch *guest = arch_by_name(found[i].guest, strlen(found[i].guest));
		uint8_t head[PROGRAM_HEAD] = { 0 };
		const struct emulator_kind *k;
		struct binfmt_entry e;
		struct err err;

		assert_int_equal(binfmt_entry_parse(found[i].name, found[i].text, &e, &err), 0);
		k = emulator_kind_of(&e);
		if (!str_eq(k->name, found[i].kind))
			fail_msg("%s, %s: taken for %s", e.name, e.interpreter, k->name);
		assert_int_equal(e.flags, found[i].flags);
		assert_int_equal(emulator_kind_is_foreign(&e), found[i].foreign);
		assert_true(emulator_kind_runs(k, guest));
		arch_header(guest, head);
		assert_true(binfmt_entry_matches(&e, head, "/x"));
	}
}

static void by_name(void **state)
{
	const struct arch *arm64 = arch_by_name("arm64", 5), *amd64 = arch_by_name("amd64", 5),
			  *x32 = arch_by_name("x32", 3), *x86 = arch_by_name("386", 3);

	(void)state;
	assert_null(emulator_kind_named("unknown"));
	assert_null(emulator_kind_named("Box64"));
	assert_null(emulator_kind_named(""));
	assert_true(emulator_kind_is_qemu(emulator_kind_named("qemu")));
	assert_false(emulator_kind_is_other(emulator_kind_named("qemu")));
	assert_true(emulator_kind_is_other(emulator_kind_named("fex")));
	assert_true(emulator_kind_runs(emulator_kind_named("qemu"), arm64));
	assert_false(emulator_kind_runs(emulator_kind_named("qemu"), x32));
	assert_true(emulator_kind_runs(emulator_kind_named("box64"), amd64));
	assert_true(emulator_kind_runs(emulator_kind_named("box64"), x86));
	assert_false(emulator_kind_runs(emulator_kind_named("box64"), arm64));
	assert_false(emulator_kind_runs(emulator_kind_named("rosetta"), x86));
	assert_false(emulator_kind_is_other(emulator_kind_of_file("box64x")));
	assert_false(emulator_kind_is_other(emulator_kind_of_file("/usr/bin/")));
	assert_false(emulator_kind_is_qemu(emulator_kind_of_file("qemu-x86_64")));
}

/* Whatever is printed about a kind is there, and those that can be asked for are complete. */
static void the_table(void **state)
{
	size_t n;
	const struct emulator_kind *k = emulator_kinds(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		assert_true(*k[i].name && *k[i].label && k[i].files && k[i].handlers);
		assert_true(k[i].limits && *k[i].remedy);
		assert_true(!k[i].version_option || (k[i].version_starts && k[i].version_before));
		for (const char *g = k[i].guests; g && *g; g += strcspn(g, " "), g += *g == ' ')
			assert_non_null(arch_by_name(g, strcspn(g, " ")));
	}
	assert_null(emulator_kind_named("rosetta")->flags);
}

static void versions(void **state)
{
	static const struct {
		const char *kind, *said, *version;
	} rows[] = {
		{ "qemu", "qemu-x86_64 version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u16)\n", "7.2.22" },
		{ "qemu", "qemu-aarch64 version 10.0.13\nCopyright\n", "10.0.13" },
		{ "qemu", "qemu: unknown option 'version'\n", NULL },
		{ "box64",
		  "Box64 arm64 v0.4.5 76fda791 with Dynarec built on Aug 21 2026 20:32:15\n",
		  "0.4.5" },
		{ "box64", "Box64 with Dynarec v0.2.4 de8f3ef built on Sep 25 2023 07:41:16\n",
		  "0.2.4" },
		{ "box64",
		  "Dynarec for ARM64, with extension: ASIMD PageSize:4096 Running on Cortex-A55 "
		  "with 8 "
		  "Cores\nParams database has 25 entries\nBox64 riscv64 v0.3.6 nogit built on x\n",
		  "0.3.6" },
		{ "box64", "[BOX64] Nothing to run\n", NULL },
		{ "box64", "Box64 with versions\n", NULL },
		{ "box86", "Box86 with Dynarec v0.2.3 ff365085 built on Aug  4 2021 16:31:11\n",
		  "0.2.3" },
		{ "fex", "FEX-2508\n", "2508" },
		{ "fex", "FEX-2510.1-12-gb5637037\n", "2510.1" },
		{ "fex", "FEX-Unknown\n", NULL },
		{ "fex", "", NULL },
		{ "rosetta", "Rosetta 2 version 7\n", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[32] = "";
		bool there = emulator_kind_version(emulator_kind_named(rows[i].kind), rows[i].said,
						   text, sizeof(text));

		if (there != !!rows[i].version || (there && !str_eq(text, rows[i].version)))
			fail_msg("%s: %s", rows[i].said, text);
	}
}

/* In a directory of its own; what is in the usual places is the machine's business. */
static void located(void **state)
{
	char dir[] = "/tmp/test-kinds-XXXXXX", path[128], want[128];
	const struct arch *amd64 = arch_by_name("amd64", 5);
	const struct emulator_kind *fex = emulator_kind_named("fex");
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_false(locate_kind(fex, amd64, dir, path, sizeof(path)));
	(void)str_fmt(want, sizeof(want), "%s/FEXInterpreter", dir);
	file = fopen(want, "w");
	assert_non_null(file);
	fclose(file);
	assert_true(locate_kind(fex, amd64, dir, path, sizeof(path)));
	assert_string_equal(path, want);
	assert_false(locate_kind(emulator_kind_named("box64"), amd64, dir, path, sizeof(path)));
	assert_false(locate_kind(emulator_kind_named("qemu"), amd64, dir, path, sizeof(path)));
	assert_int_equal(unlink(want), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_they_were_found),
		cmocka_unit_test(by_name),
		cmocka_unit_test(the_table),
		cmocka_unit_test(versions),
		cmocka_unit_test(located),
	};

	return cmocka_run_group_tests_name("emulator_kind", tests, NULL, NULL);
}
