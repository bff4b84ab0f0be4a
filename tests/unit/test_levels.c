/* SPDX-License-Identifier: Apache-2.0 */
/* What emulators of amd64 offer: the program that asks them, and where their answers are kept. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/binfmt/emulator_levels.h"
#include "runtime/cli/emulator_level.h"
#include "runtime/cli/level_program.h"
#include "runtime/cli/subprocess.h"
#include "runtime/host/host.h"
#include "runtime/plan/elf_load.h"

#define QEMU "/usr/bin/qemu-x86_64-static"

static struct stat emulator(unsigned int inode, long ns)
{
	return (struct stat){ .st_dev = 7, .st_ino = inode, .st_ctim = { 1700000000, ns } };
}

static void add(struct buf *text, const struct stat *st, const char *model, unsigned int level)
{
	struct buf more = BUF_INIT(LEVELS_MAX_BYTES);
	struct err err;

	assert_int_equal(levels_add(buf_str(text), st, model, level, &more, &err), 0);
	buf_deinit(text);
	*text = more;
}

/* An answer holds for one file as it is, and one model. */
static void answers(void **state)
{
	struct buf text = BUF_INIT(LEVELS_MAX_BYTES);
	struct stat one = emulator(1, 5), two = emulator(2, 5), newer = emulator(1, 6);

	(void)state;
	add(&text, &one, "", 2);
	add(&text, &one, "max", 3);
	add(&text, &two, "Nehalem", 2);
	assert_string_equal(buf_str(&text), "7 2 1700000000000000005 2 =Nehalem\n"
					    "7 1 1700000000000000005 3 =max\n"
					    "7 1 1700000000000000005 2 =\n");
	assert_int_equal(levels_find(buf_str(&text), &one, ""), 2);
	assert_int_equal(levels_find(buf_str(&text), &one, "max"), 3);
	assert_int_equal(levels_find(buf_str(&text), &one, "ma"), 0);
	assert_int_equal(levels_find(buf_str(&text), &one, "Nehalem"), 0);
	assert_int_equal(levels_find(buf_str(&text), &two, "Nehalem"), 2);
	assert_int_equal(levels_find(buf_str(&text), &newer, "max"), 0);
	add(&text, &one, "max", 4); /* in the place of the old answer */
	assert_int_equal(levels_find(buf_str(&text), &one, "max"), 4);
	assert_null(strstr(buf_str(&text), " 3 =max"));
	buf_deinit(&text);
}

static void damaged_answers(void **state)
{
	static const char *const texts[] = {
		"",
		"\n\n",
		"7 1 1700000000000000005",
		"7 1 1700000000000000005 3",
		"7 1 1700000000000000005 0 =max\n",
		"7 1 1700000000000000005 5 =max\n",
		"7 1 1700000000000000005 33 =max\n",
		"7 1 1700000000000000005 3 max\n",
		"7 1 1700000000000000005 3 =max \n",
		" 7 1 1700000000000000005 3 =max\n",
		"7 11700000000000000005 3 =max\n",
	};
	struct stat one = emulator(1, 5);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(levels_find(texts[i], &one, "max"), 0);
	assert_int_equal(levels_find("x\n7 1 1700000000000000005 3 =max", &one, "max"), 3);
}

/* The oldest go; what cannot be a line is not written. */
static void many_answers(void **state)
{
	struct buf text = BUF_INIT(LEVELS_MAX_BYTES), none = BUF_INIT(LEVELS_MAX_BYTES);
	struct stat one = emulator(1, 5);
	char model[LEVELS_MODEL_MAX + 2];
	struct err err;
	size_t lines = 0;

	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		memset(model, 'a', sizeof(model));
		(void)snprintf(model + LEVELS_MODEL_MAX - 3, 4, "%03u", i);
		add(&text, &one, model, 1 + i % 4);
	}
	assert_int_equal(levels_find(buf_str(&text), &one, model), 4);
	for (const char *p = buf_str(&text); (p = strchr(p, '\n')); p++)
		lines++;
	assert_int_equal(lines, 32);
	memset(model, 'a', LEVELS_MODEL_MAX + 1);
	model[LEVELS_MODEL_MAX + 1] = '\0';
	assert_int_equal(levels_add("", &one, model, 1, &none, &err), -1);
	assert_int_equal(levels_add("", &one, "a\nb", 1, &none, &err), -1);
	assert_int_equal(levels_add("", &one, "a b", 1, &none, &err), -1);
	buf_deinit(&text);
	buf_deinit(&none);
}

/* Root reads what only root can have written. */
static void whose_file(void **state)
{
	char dir[] = "/tmp/crossarch-levels-XXXXXX", path[64], link[64];
	struct buf text = BUF_INIT(LEVELS_MAX_BYTES);
	struct err err;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/levels", dir);
	(void)snprintf(link, sizeof(link), "%s/link", dir);
	levels_read(path, &text);
	assert_string_equal(buf_str(&text), "");
	assert_int_equal(file_replace(AT_FDCWD, path, 0644, "text\n", 5, &err), 0);
	levels_read(path, &text);
	assert_string_equal(buf_str(&text), "text\n");
	buf_deinit(&text);
	assert_int_equal(chmod(path, 0664), 0);
	levels_read(path, &text);
	assert_string_equal(buf_str(&text), "");
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(symlink(path, link), 0);
	levels_read(link, &text);
	assert_string_equal(buf_str(&text), "");
	assert_int_equal(chown(path, 65534, 0), 0);
	levels_read(path, &text);
	assert_string_equal(buf_str(&text), "");
	unlink(link);
	unlink(path);
	rmdir(dir);
}

/* The node's own processor, by the same bits as in C. */
static void native_level(void **state)
{
	char path[32], name[] = "level";
	char *const argv[] = { name, NULL };
	struct subprocess run = { .path = path, .argv = argv, .timeout_ms = 20000 };
	struct subprocess_result result;
	struct host host;
	struct err err;

	(void)state;
	assert_int_equal(host_probe(&host, &err), 0);
	if (!str_eq(host.arch->name, "amd64"))
		skip();
	assert_int_equal(level_program_open(&run.keep_fd, &err), 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", run.keep_fd);
	assert_int_equal(subprocess_run(&run, &result, &err), 0);
	assert_int_equal(result.end, SUBPROCESS_EXITED);
	assert_int_equal(result.value, LEVEL_STATUS + (int)host.x86_level);
	close(run.keep_fd);
}

/* What qemu says, and what the table says where it knows a model. */
static void asked(void **state)
{
	static const struct {
		const char *model;
		unsigned int level;
	} rows[] = {
		{ "max", 3 },	     { "qemu64", 1 },	   { "Nehalem", 2 },
		{ "max,-avx2", 2 },  { "Haswell", 3 },	   { "core2duo", 1 },
		{ "Opteron_G5", 2 }, { "max,-popcnt", 1 }, { "no-such", 0 },
	};
	char dir[] = "/tmp/crossarch-levels-XXXXXX", file[64];
	struct buf text = BUF_INIT(LEVELS_MAX_BYTES);
	struct err err;

	(void)state;
	if (geteuid() != 0 || access(QEMU, X_OK) < 0)
		skip();
	assert_non_null(mkdtemp(dir));
	(void)snprintf(file, sizeof(file), "%s/levels", dir);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned int level = 9;
		struct facts f = { .cpu_model = rows[i].model };

		assert_int_equal(emulator_level(file, QEMU, rows[i].model, &level, &err), 0);
		if (level != rows[i].level)
			fail_msg("%s: %u", rows[i].model, level);
		if (level && !strchr(rows[i].model, ','))
			assert_int_equal(load_model_level(&f), level);
	}
	levels_read(file, &text);
	assert_non_null(strstr(buf_str(&text), " 2 =max,-avx2\n"));
	assert_null(strstr(buf_str(&text), "no-such"));
	unlink(file);
	rmdir(dir);
	buf_deinit(&text);
}

/* A second time the answer comes from the file; another emulator under its name is asked anew. */
static void asked_once(void **state)
{
	char dir[] = "/tmp/crossarch-levels-XXXXXX", file[64], program[64];
	unsigned int level;
	struct err err;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(dir));
	(void)snprintf(file, sizeof(file), "%s/levels", dir);
	(void)snprintf(program, sizeof(program), "%s/qemu", dir);
	for (int i = 2; i <= 3; i++) {
		char script[64];
		int n = snprintf(script, sizeof(script), "#!/bin/sh\necho >>%s/runs\nexit %d\n",
				 dir, LEVEL_STATUS + i);

		assert_int_equal(file_replace(AT_FDCWD, program, 0755, script, (size_t)n, &err), 0);
		for (int k = 0; k < 2; k++) {
			assert_int_equal(emulator_level(file, program, "", &level, &err), 0);
			assert_int_equal(level, i);
		}
	}
	(void)snprintf(program, sizeof(program), "%s/runs", dir);
	struct stat st;
	assert_int_equal(stat(program, &st), 0);
	assert_int_equal(st.st_size, 2);
	unlink(program);
	unlink(file);
	(void)snprintf(program, sizeof(program), "%s/qemu", dir);
	unlink(program);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),	cmocka_unit_test(damaged_answers),
		cmocka_unit_test(many_answers), cmocka_unit_test(whose_file),
		cmocka_unit_test(native_level), cmocka_unit_test(asked),
		cmocka_unit_test(asked_once),
	};

	return cmocka_run_group_tests_name("levels", tests, NULL, NULL);
}
