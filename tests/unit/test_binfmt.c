/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/syscall.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "runtime/binfmt/registry.h"

static const char qemu_arm64[] = "enabled\n"
				 "interpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P\n"
				 "flags: PF\n"
				 "offset 0\n"
				 "magic 7f454c460201010000000000000000000200b700\n"
				 "mask ffffffffffffff00fffffffffffffffffeffffff\n";

static struct binfmt_entry parse(const char *text)
{
	struct binfmt_entry e;
	struct err err;

	assert_int_equal(binfmt_entry_parse("x", text, &e, &err), 0);
	return e;
}

static void a_captured_entry(void **state)
{
	struct binfmt_entry e = parse(qemu_arm64);

	(void)state;
	assert_true(e.enabled);
	assert_int_equal(e.flags, BINFMT_P | BINFMT_F);
	assert_int_equal(e.kind, BINFMT_MAGIC);
	assert_int_equal(e.len, 20);
	assert_string_equal(e.interpreter, "/usr/libexec/qemu-binfmt/aarch64-binfmt-P");
}

static void what_is_unknown_is_passed_over(void **state)
{
	struct binfmt_entry e = parse("disabled\ninterpreter /i\nflags: TQCOX\nnews 7\n"
				      "offset 4\nmagic 01\n");

	(void)state;
	assert_false(e.enabled);
	assert_int_equal(e.flags, BINFMT_C | BINFMT_O);
	assert_int_equal(e.mask[0], 0xff);
	assert_int_equal(parse("enabled\ninterpreter /i\n").kind, BINFMT_OPAQUE);
	assert_int_equal(parse("enabled\ninterpreter /i\nbpf 12\n").kind, BINFMT_OPAQUE);
}

static void bad_entries(void **state)
{
	static const char *const bad[] = {
		"",
		"enabled\n",
		"interpreter /i\n",
		"enabled\ninterpreter /i\noffset 300\nmagic 01\n",
		"enabled\ninterpreter /i\noffset 256\nmagic 01\n",
		"enabled\ninterpreter /i\nmagic 0\n",
		"enabled\ninterpreter /i\nmagic 0g\n",
		"enabled\ninterpreter /i\nmagic\nmagic \n",
		"enabled\ninterpreter /i\nmagic 0102\nmask 01\n",
		"enabled\ninterpreter /i\noffset -1\nmagic 01\n",
	};
	struct binfmt_entry e;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(binfmt_entry_parse("x", bad[i], &e, &err), -1);
}

static void long_magic(void **state)
{
	char text[700] = "enabled\ninterpreter /i\noffset 0\nmagic ";
	struct binfmt_entry e;
	struct err err;
	size_t n = strlen(text);

	(void)state;
	memset(text + n, 'a', 512);
	text[n + 512] = '\n';
	e = parse(text);
	assert_int_equal(e.len, 256);
	text[n + 512] = 'a';
	text[n + 513] = 'a';
	assert_int_equal(binfmt_entry_parse("x", text, &e, &err), -1);
}

/* The kernel's loop, bit by bit, as an oracle. */
static bool oracle(const struct binfmt_entry *e, const uint8_t *head)
{
	for (unsigned int bit = 0; bit < e->len * 8; bit++) {
		unsigned int byte = bit / 8, in = bit % 8;

		if ((e->mask[byte] >> in & 1) &&
		    (e->magic[byte] >> in & 1) != (head[e->offset + byte] >> in & 1))
			return false;
	}
	return true;
}

static void matching_agrees_with_the_oracle(void **state)
{
	struct binfmt_entry e = parse(qemu_arm64);
	uint8_t head[PROGRAM_HEAD] = { 0 };
	int matches = 0;

	(void)state;
	srandom(1);
	for (int i = 0; i < 20000; i++) {
		memcpy(head, e.magic, e.len);
		for (int k = random() % 3; k > 0; k--)
			head[random() % 24] ^= (uint8_t)(1 << random() % 8);
		assert_int_equal(binfmt_entry_matches(&e, head, "/x"), oracle(&e, head));
		matches += oracle(&e, head);
	}
	assert_true(matches > 1000 && matches < 19000);
}

static void rejecting_byte(void **state)
{
	struct binfmt_entry e = parse(qemu_arm64);
	uint8_t head[PROGRAM_HEAD] = { 0 };
	size_t at;

	(void)state;
	memcpy(head, e.magic, e.len);
	assert_false(binfmt_entry_rejects(&e, head, &at));
	head[EI_OSABI] = 3; /* ignored by the mask */
	assert_true(binfmt_entry_matches(&e, head, "/x"));
	head[EI_ABIVERSION] = 1;
	assert_true(binfmt_entry_rejects(&e, head, &at));
	assert_int_equal(at, EI_ABIVERSION);
}

static void extensions(void **state)
{
	struct binfmt_entry e = parse("enabled\ninterpreter /i\nflags: \nextension .jar\n");
	uint8_t head[PROGRAM_HEAD] = { 0 };

	(void)state;
	assert_true(binfmt_entry_matches(&e, head, "/app/x.jar"));
	assert_false(binfmt_entry_matches(&e, head, "/app/x.JAR"));
	assert_false(binfmt_entry_matches(&e, head, "/app/jar"));
	assert_false(binfmt_entry_matches(&e, head, "/app/x.jar.gz"));
}

static void add(struct binfmt_registry *r, const char *name, bool enabled, const char *interpreter,
		uint64_t when)
{
	struct binfmt_entry e = parse(qemu_arm64);
	struct err err;

	(void)str_copy(e.name, sizeof(e.name), name);
	(void)str_copy(e.interpreter, sizeof(e.interpreter), interpreter);
	e.enabled = enabled;
	e.registered_ns = when;
	assert_int_equal(binfmt_registry_add(r, &e, &err), 0);
}

static void the_last_registered_wins(void **state)
{
	CLEANUP_REGISTRY struct binfmt_registry r = { .state = BINFMT_ON };
	const struct arch *arm64 = arch_by_name("arm64", 5), *riscv = arch_by_name("riscv64", 7);
	const struct binfmt_entry *other;
	uint8_t head[PROGRAM_HEAD] = { 0 };

	(void)state;
	arch_header(arm64, head);
	assert_null(binfmt_registry_match(&r, head, "/x", false, &other));
	assert_null(other);
	add(&r, "old", true, "/a", 10);
	add(&r, "new", true, "/b", 20);
	add(&r, "off", false, "/c", 30);
	assert_string_equal(binfmt_registry_match(&r, head, "/x", false, &other)->name, "new");
	assert_string_equal(other->name, "old");
	assert_string_equal(binfmt_registry_match(&r, head, "/x", true, NULL)->name, "off");
	assert_string_equal(binfmt_registry_for(&r, arm64, false)->name, "new");
	assert_null(binfmt_registry_for(&r, riscv, true));
	/* Two entries for one interpreter are no conflict. */
	(void)str_copy(r.entries[0].interpreter, sizeof(r.entries[0].interpreter), "/b");
	(void)binfmt_registry_match(&r, head, "/x", false, &other);
	assert_null(other);
}

static void write_file(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void a_directory_of_entries(void **state)
{
	char path[] = "/tmp/test-binfmt-XXXXXX", command[64];
	CLEANUP_REGISTRY struct binfmt_registry r = { 0 }, empty = { 0 };
	struct err err;
	int dir;

	(void)state;
	if (syscall(SYS_openat2, -1, "", NULL, 0) < 0 && errno == ENOSYS)
		skip(); /* qemu-user does not pass it on */
	assert_non_null(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(binfmt_registry_read(dir, true, &r, &err), -1);
	write_file(dir, "status", "enabled\n");
	write_file(dir, "register", "");
	assert_int_equal(binfmt_registry_read(dir, false, &empty, &err), 0);
	assert_int_equal(empty.state, BINFMT_NOT_MOUNTED);
	write_file(dir, "qemu-aarch64", qemu_arm64);
	assert_int_equal(binfmt_registry_read(dir, false, &r, &err), 0);
	assert_int_equal(r.state, BINFMT_ON);
	assert_int_equal(r.n, 1);
	assert_false(r.partial);
	assert_true(r.entries[0].registered_ns > 0);
	binfmt_registry_deinit(&r);
	write_file(dir, "strange", "who knows\n");
	write_file(dir, "status", "disabled\n");
	assert_int_equal(binfmt_registry_read(dir, true, &r, &err), 0);
	assert_int_equal(r.state, BINFMT_OFF);
	assert_int_equal(r.n, 1);
	assert_true(r.partial);
	close(dir);
	snprintf(command, sizeof(command), "rm -rf %s", path);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_captured_entry),
		cmocka_unit_test(what_is_unknown_is_passed_over),
		cmocka_unit_test(bad_entries),
		cmocka_unit_test(long_magic),
		cmocka_unit_test(matching_agrees_with_the_oracle),
		cmocka_unit_test(rejecting_byte),
		cmocka_unit_test(extensions),
		cmocka_unit_test(the_last_registered_wins),
		cmocka_unit_test(a_directory_of_entries),
	};

	return cmocka_run_group_tests_name("binfmt", tests, NULL, NULL);
}
