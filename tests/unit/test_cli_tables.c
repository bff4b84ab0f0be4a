/* SPDX-License-Identifier: Apache-2.0 */
/* The command line's tables: explanations, built-in programs, and lines for binfmt_misc. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/str.h"
#include "runtime/binfmt/entry.h"
#include "runtime/cli/emulators.h"
#include "runtime/cli/explain.h"
#include "runtime/cli/register.h"
#include "runtime/cli/subprocess.h"
#include "runtime/cli/trial_program.h"
#include "runtime/image/image.h"
#include "runtime/plan/cause.h"

/* Every code somebody can see has an explanation, and nothing else has. */
static void test_explanations(void **state)
{
	size_t n;
	const struct explanation *e = explanations(&n);

	(void)state;
	for (int c = CAUSE_NONE + 1; c < CAUSE_N; c++)
		if (!explanation_of(cause_row((enum cause)c)->code))
			fail_msg("no explanation of %s", cause_row((enum cause)c)->code);
	for (size_t i = 0; i < n; i++) {
		bool used = false;

		for (int c = CAUSE_NONE + 1; c < CAUSE_N; c++)
			used |= str_eq(cause_row((enum cause)c)->code, e[i].code);
		if (!used)
			fail_msg("%s is explained and never said", e[i].code);
		assert_ptr_equal(explanation_of(e[i].code), &e[i]);
		assert_true(*e[i].summary && *e[i].cause && *e[i].detection && *e[i].remedies);
	}
}

/* What is in the bytes is what the table says: the kernel will take them for that architecture. */
static void test_probe_headers(void **state)
{
	size_t n;
	const struct arch *rows = arch_rows(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		uint8_t bytes[TRIAL_MAX];
		size_t size = trial_build(&rows[i], bytes);
		struct segments s;
		struct ident id;

		if (!size)
			continue;
		assert_int_equal(ident_read(bytes, size, &id), IDENT_ELF);
		assert_int_equal(id.machine, rows[i].machine);
		assert_int_equal(id.cls, rows[i].cls);
		assert_int_equal(id.order, rows[i].order);
		assert_int_equal(ident_table_size(&id), id.phentsize);
		segments_read(&id, bytes + id.phoff, id.phentsize, size, 4096, &s);
		assert_false(s.empty);
		assert_false(s.cut);
		assert_false(s.interp);
	}
}

/* Every platform of OCI that qemu has a target for can be tried. */
static void test_probe_complete(void **state)
{
	uint8_t bytes[TRIAL_MAX];
	size_t n;
	const struct arch *rows = arch_rows(&n);

	(void)state;
	for (size_t i = 0; i < n; i++)
		if (rows[i].oci && rows[i].qemu && !trial_build(&rows[i], bytes))
			fail_msg("nothing to try %s with", rows[i].name);
}

/* The emulators that are installed run their programs; which are is the machine's business. */
static void test_probe_runs(void **state)
{
	size_t n, tried = 0;
	const struct arch *rows = arch_rows(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		char path[64], program[32], name[] = "qemu", extra[] = "x";
		char *argv[] = { name, program, NULL, NULL };
		struct subprocess run = { .path = path, .argv = argv, .timeout_ms = 20000 };
		struct subprocess_result result;
		struct err err = ERR_INIT;

		str_fmt(path, sizeof(path), "/usr/bin/qemu-%s-static", rows[i].qemu);
		if (!rows[i].qemu || access(path, X_OK) < 0 ||
		    trial_open(&rows[i], &run.keep_fd, &err) < 0)
			continue;
		str_fmt(program, sizeof(program), "/proc/self/fd/%d", run.keep_fd);
		for (int args = 1; args <= 2; args++) {
			argv[2] = args == 2 ? extra : NULL;
			assert_int_equal(subprocess_run(&run, &result, &err), 0);
			if (result.end != SUBPROCESS_EXITED ||
			    result.value != TRIAL_STATUS - 1 + args)
				fail_msg("%s with %d arguments: %d %d", path, args, result.end,
					 result.value);
		}
		close(run.keep_fd);
		tried++;
	}
	print_message("tried %zu emulators\n", tried);
}

/* Escapes of a line back to bytes; the number of them. */
static size_t unescape(const char *text, uint8_t *bytes)
{
	size_t n = 0;

	for (; text[0] == '\\' && text[1] == 'x'; text += 4)
		bytes[n++] = (uint8_t)strtoul((char[]){ text[2], text[3], 0 }, NULL, 16);
	return n;
}

/* A line, read back as the entry the kernel would make of it. */
static void entry_of(const struct arch *a, struct binfmt_entry *ret)
{
	char line[REGISTER_MAX + 1];
	struct err err = ERR_INIT;
	const char *magic, *mask;

	memset(ret, 0, sizeof(*ret));
	assert_int_equal(register_line(a, "x", "/usr/bin/qemu", "PF", line, &err), 0);
	assert_non_null(magic = str_after(line, ":x:M::"));
	assert_non_null(mask = strchr(magic, ':'));
	assert_true(str_ends(line, ":/usr/bin/qemu:PF"));
	ret->kind = BINFMT_MAGIC;
	ret->enabled = true;
	ret->len = (unsigned int)unescape(magic, ret->magic);
	assert_int_equal(unescape(mask + 1, ret->mask), ret->len);
}

static bool matches(const struct binfmt_entry *e, const struct arch *a, uint8_t type, uint8_t abi)
{
	uint8_t head[PROGRAM_HEAD] = { 0 };

	arch_header(a, head);
	head[a->order == ELFDATA2MSB ? 17 : 16] = type;
	head[EI_OSABI] = abi;
	head[EI_ABIVERSION] = 1;
	return binfmt_entry_matches(e, head, "");
}

/* Each line takes its own architecture's programs and those of no other emulator. */
static void test_lines(void **state)
{
	size_t n;
	const struct arch *rows = arch_rows(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct binfmt_entry e;

		if (!rows[i].qemu)
			continue;
		entry_of(&rows[i], &e);
		assert_true(matches(&e, &rows[i], ET_EXEC, ELFOSABI_NONE));
		assert_true(matches(&e, &rows[i], ET_DYN, ELFOSABI_LINUX));
		assert_false(matches(&e, &rows[i], ET_REL, ELFOSABI_NONE));
		for (size_t k = 0; k < n; k++)
			if (matches(&e, &rows[k], ET_EXEC, 0) &&
			    (!rows[k].qemu || !str_eq(rows[k].qemu, rows[i].qemu)))
				fail_msg("the line for %s takes %s", rows[i].name, rows[k].name);
	}
}

static void test_line_refused(void **state)
{
	char line[REGISTER_MAX + 1], *path = calloc(1, 2000);
	struct err err = ERR_INIT;
	const struct arch *a = arch_by_name("s390x", 5);

	(void)state;
	assert_int_equal(register_line(a, "x", "/a:b", "F", line, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	memset(path, '/', 1999);
	assert_int_equal(register_line(a, "x", path, "F", line, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_explanations),   cmocka_unit_test(test_probe_headers),
		cmocka_unit_test(test_probe_complete), cmocka_unit_test(test_probe_runs),
		cmocka_unit_test(test_lines),	       cmocka_unit_test(test_line_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
