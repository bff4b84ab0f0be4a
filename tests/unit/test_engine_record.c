/* SPDX-License-Identifier: Apache-2.0 */
/* What a shim leaves in the bundle for `delete`, should it be killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "shim/task/engine_record.h"

static char bundle[] = "/tmp/record-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(bundle) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	(void)str_fmt(command, sizeof(command), "rm -rf %s", bundle);
	return system(command); /* NOLINT(cert-env33-c): the name is our own */
}

static void write_file(const char *name, const char *text)
{
	char path[PATH_MAX];
	struct err err;

	(void)str_fmt(path, sizeof(path), "%s/%s", bundle, name);
	assert_int_equal(file_replace(AT_FDCWD, path, 0600, text, strlen(text), &err), 0);
}

static bool is_there(const char *name)
{
	char path[PATH_MAX];

	(void)str_fmt(path, sizeof(path), "%s/%s", bundle, name);
	return access(path, F_OK) == 0;
}

static void test_round_trip(void **state)
{
	CLEANUP_ARENA struct arena arena = { .chunks = NULL };
	const struct engine engine = { "/usr/sbin/runc", "/run/x y=z/k8s.io", true };
	struct engine back;
	struct err err;

	(void)state;
	assert_int_equal(engine_record_read(bundle, &arena, &back, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(engine_record_write(bundle, &engine, "/kubepods/pod1/c1", &err), 0);
	assert_int_equal(engine_record_read(bundle, &arena, &back, &err), 0);
	assert_string_equal(back.path, engine.path);
	assert_string_equal(back.root, engine.root);
	assert_true(back.systemd_cgroup);
	assert_int_equal(engine_record_write(bundle, &engine, NULL, &err), 0);
	assert_int_equal(engine_record_read(bundle, &arena, &back, &err), 0);
}

/* After the engine's delete only the cgroup is asked for: the record has another name. */
static void test_removed(void **state)
{
	CLEANUP_ARENA struct arena arena = { .chunks = NULL };
	const struct engine engine = { "/usr/sbin/runc", "/run/root", false };
	struct engine back;
	struct err err;

	(void)state;
	assert_int_equal(engine_record_write(bundle, &engine, "", &err), 0);
	engine_record_remove(bundle);
	assert_int_equal(engine_record_read(bundle, &arena, &back, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_true(is_there(ENGINE_RECORD_ENDED));
	engine_record_remove(bundle); /* again */
	assert_true(is_there(ENGINE_RECORD_ENDED));
	engine_record_sweep(bundle, "c1"); /* a record without a cgroup names nothing to sweep */
}

/* An engine is run as root: a record that does not name one by its whole path names none. */
static void test_damaged(void **state)
{
	static const char *const texts[] = { "",
					     "\n\n",
					     "root=/run\n",
					     "engine=\n",
					     "engine=runc\n",
					     "engine",
					     "ENGINE=/usr/sbin/runc\n" };
	CLEANUP_ARENA struct arena arena = { .chunks = NULL };
	struct engine back;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_file(ENGINE_RECORD_FILE, texts[i]);
		assert_int_equal(engine_record_read(bundle, &arena, &back, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
	}
	write_file(ENGINE_RECORD_FILE, "later=1\nengine=/usr/bin/crun\n"); /* of a newer build */
	assert_int_equal(engine_record_read(bundle, &arena, &back, &err), 0);
	assert_string_equal(back.path, "/usr/bin/crun");
	assert_string_equal(back.root, "");
	assert_false(back.systemd_cgroup);
}

static void test_engine_state(void **state)
{
	const struct engine engine = { "/usr/sbin/runc", bundle, false };
	char path[PATH_MAX];

	(void)state;
	(void)str_fmt(path, sizeof(path), "%s/c1", bundle);
	assert_false(engine_record_is_known(&engine, "c1"));
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(engine_record_is_known(&engine, "c1"));
	assert_false(engine_record_is_known(&engine, "c"));
}

static void test_init_pid(void **state)
{
	static const char *const bad[] = { "", "12x", "-1", "12\n", "99999999999999999999" };

	(void)state;
	assert_int_equal(engine_record_init_pid(bundle), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_file("init.pid", bad[i]);
		assert_int_equal(engine_record_init_pid(bundle), 0);
	}
	write_file("init.pid", "4711");
	assert_int_equal(engine_record_init_pid(bundle), 4711);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_removed),
		cmocka_unit_test(test_damaged),	   cmocka_unit_test(test_engine_state),
		cmocka_unit_test(test_init_pid),
	};

	return cmocka_run_group_tests_name("record", tests, set_up, tear_down);
}
