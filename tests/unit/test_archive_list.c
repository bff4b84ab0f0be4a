/* SPDX-License-Identifier: Apache-2.0 */
/* The names in an image archive: links between them, several of one name, and nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/cli/archive_list.h"

#define CLEANUP_LIST CLEANUP(archive_list_deinit)

static int parse(const char *text, size_t n, struct archive_list *l)
{
	struct err err = ERR_INIT;

	assert_int_equal(buf_add(&l->names, text, n, &err), 0);
	return archive_list_parse(l, 100000, &err);
}

static void assert_at(const struct archive_list *l, const char *name, int64_t at)
{
	const struct archive_member *m = archive_list_find(l, name);

	if (at < 0) {
		assert_null(m);
		return;
	}
	assert_non_null(m);
	assert_int_equal(m->at, at);
}

static void test_links(void **state)
{
	static const char text[] = "0 10 f./one\0\0"
				   "1024 10 fdir/two\0\0"
				   "2048 0 shere/up\0../dir/two\0"
				   "2560 0 sa/b/c\0../../one\0"
				   "3072 0 sa/b/out\0../../../one\0"
				   "3584 0 sabsolute\0/one\0"
				   "4096 0 hhard\0./here/up\0"
				   "4608 0 sround\0round\0"
				   "5120 0 sbeside/x\0./y\0"
				   "5632 10 fbeside/y\0\0"
				   "6144 0 sempty\0\0"
				   "7168 10 fone\0\0";
	CLEANUP_LIST struct archive_list l = ARCHIVE_LIST_INIT;

	(void)state;
	assert_int_equal(parse(text, sizeof(text) - 1, &l), 0);
	assert_at(&l, "one", 7168); /* the last one counts */
	assert_at(&l, "dir/two", 1024);
	assert_at(&l, "here/up", 1024);
	assert_at(&l, "a/b/c", 7168);
	assert_at(&l, "a/b/out", -1);
	assert_at(&l, "absolute", -1);
	assert_at(&l, "hard", 1024);
	assert_at(&l, "round", -1);
	assert_at(&l, "beside/x", 5632);
	assert_at(&l, "empty", -1);
	assert_at(&l, "nothing", -1);
}

static void test_nonsense(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		int rc;
	} rows[] = {
		{ "", 0, 0 },
		{ "0 10 fx\0", 8, -1 }, /* no second string */
		{ "0 10 fx\0\0", 9, 0 },
		{ "x y\0\0", 5, -1 },
		{ "-1 10 fx\0\0", 10, -1 },
		{ "0 -1 fx\0\0", 9, -1 },
		{ "0 10\0\0", 6, -1 },
		{ "0 99489 fx\0\0", 12, -1 }, /* more than the archive has behind its header */
		{ "0 99488 fx\0\0", 12, 0 },
		{ "99999999999999999999 1 fx\0\0", 27, -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP_LIST struct archive_list l = ARCHIVE_LIST_INIT;

		assert_int_equal(parse(rows[i].text, rows[i].n, &l), rows[i].rc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
