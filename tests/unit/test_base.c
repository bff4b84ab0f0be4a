/* SPDX-License-Identifier: Apache-2.0 */
/* The foundation that everything else stands on: buffers, arenas, cursors, strings, errors, lists.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/cursor.h"
#include "runtime/base/list.h"
#include "runtime/base/str.h"

/* --- buffers --------------------------------------------------------------------------------- */

static void test_buf_grows_to_its_limit(void **state)
{
	CLEANUP_BUF struct buf b = BUF_INIT(1000);
	struct err err;

	(void)state;
	assert_string_equal(buf_str(&b), "");
	for (int i = 0; i < 100; i++)
		assert_int_equal(buf_add(&b, "0123456789", 10, &err), 0);
	assert_int_equal(b.len, 1000);
	assert_int_equal(b.data[1000], '\0');
	assert_int_equal(buf_add(&b, "x", 1, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_string_equal(err.text, "1 bytes more than the limit of 1000");
	assert_int_equal(b.len, 1000);
	assert_int_equal(buf_add(&b, "", 0, &err), 0);
	assert_int_equal(buf_reserve(&b, SIZE_MAX, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
}

/* What was reserved and never filled is an empty string. */
static void test_buf_reserved_is_empty(void **state)
{
	CLEANUP_BUF struct buf b = BUF_INIT(4096);
	struct err err;

	(void)state;
	for (int i = 0; i < 8; i++) {
		char *other = malloc(256);

		assert_non_null(other);
		memset(other, 'x', 256);
		free(other);
	}
	assert_int_equal(buf_reserve(&b, 10, &err), 0);
	assert_string_equal(buf_str(&b), "");
	assert_int_equal(buf_reserve(&b, 3000, &err), 0);
	assert_string_equal(buf_str(&b), "");
}

static void test_buf_formats_and_consumes(void **state)
{
	CLEANUP_BUF struct buf b = BUF_INIT(12);
	struct err err;

	(void)state;
	assert_int_equal(buf_printf(&b, &err, "%s-%d", "abc", 42), 0);
	assert_string_equal(buf_str(&b), "abc-42");
	assert_int_equal(buf_printf(&b, &err, "%07d", 1), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_string_equal(buf_str(&b), "abc-42");
	buf_consume(&b, 4);
	assert_string_equal(buf_str(&b), "42");
	buf_consume(&b, 2);
	assert_null(b.data);
	assert_int_equal(buf_printf(&b, &err, "%s", "twelve chars"), 0);
	assert_int_equal(b.len, 12);
}

/* --- arenas ---------------------------------------------------------------------------------- */

static void test_arena_zeroes_and_aligns(void **state)
{
	CLEANUP_ARENA struct arena a = { .max = 0 };
	static const char zeros[5000];

	(void)state;
	for (size_t n = 1; n < 5000; n = n * 3 + 1) {
		char *p = arena_alloc(&a, n);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		assert_memory_equal(p, zeros, n);
		memset(p, 0xff, n);
	}
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_alloc(&a, SIZE_MAX - 8));
}

static void test_arena_has_a_limit(void **state)
{
	CLEANUP_ARENA struct arena a = { .max = 2 * sizeof(max_align_t) };
	char *text;

	(void)state;
	text = arena_strdup(&a, "kept");
	assert_string_equal(text, "kept");
	assert_non_null(arena_alloc(&a, 1));
	assert_null(arena_alloc(&a, 1));
	assert_string_equal(text, "kept");
	arena_deinit(&a);
	assert_non_null(arena_alloc(&a, 2 * sizeof(max_align_t)));
	assert_null(arena_strdup(&a, ""));
}

/* --- cursors --------------------------------------------------------------------------------- */

static void test_cursor_reads_numbers(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct cursor c = cursor_of(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(cur_be32(&c), 0x01020304);
	assert_int_equal(cur_uint(&c, 2, false), 0x0605);
	assert_int_equal(cur_u8(&c), 7);
	cur_skip(&c, 1);
	assert_false(c.bad);
	assert_int_equal(c.left, 1);
}

/* Nothing moves any more after the first read beyond the end, not even what would fit. */
static void test_cursor_stays_bad(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3 };
	struct cursor c = cursor_of(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(cur_be32(&c), 0);
	assert_true(c.bad);
	assert_int_equal(cur_u8(&c), 0);
	assert_null(cur_bytes(&c, 0));
	assert_int_equal(c.left, 3);
	c = cursor_of(bytes, 0);
	assert_non_null(cur_bytes(&c, 0));
	assert_null(cur_bytes(&c, SIZE_MAX));
	assert_true(c.bad);
}

/* --- strings --------------------------------------------------------------------------------- */

static void test_numbers(void **state)
{
	static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "0x1", "1.0", "\xd9\xa1" };
	struct err err;
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(str_u64(bad[i], "size", UINT64_MAX, &v, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
		assert_non_null(strstr(err.text, "is not a decimal number"));
	}
	assert_int_equal(str_u64("18446744073709551615", "size", UINT64_MAX, &v, &err), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(str_u64("18446744073709551616", "size", UINT64_MAX, &v, &err), -1);
	assert_string_equal(err.text,
			    "size \"18446744073709551616\" is larger than 18446744073709551615");
	assert_int_equal(str_u64("00100", "size", 100, &v, &err), 0);
	assert_int_equal(v, 100);
	assert_int_equal(str_u64("101", "size", 100, &v, &err), -1);
	assert_int_equal(str_u64("7", "size", 6, &v, &err), -1);
	assert_int_equal(str_u64("0", "size", 0, &v, &err), 0);
}

static void test_copies_are_terminated(void **state)
{
	char text[4] = "xxx";

	(void)state;
	assert_true(str_copy(text, sizeof(text), "abc"));
	assert_false(str_copy(text, sizeof(text), "abcd"));
	assert_string_equal(text, "abc");
	assert_false(str_copy(text, 1, "abcd"));
	assert_string_equal(text, "");
	assert_true(str_fmt(text, sizeof(text), "%d", 123));
	assert_false(str_fmt(text, sizeof(text), "%d", 1234));
	assert_string_equal(text, "123");
}

static void test_prefix_and_suffix(void **state)
{
	(void)state;
	assert_string_equal(str_after("key=value", "key="), "value");
	assert_string_equal(str_after("key", "key"), "");
	assert_null(str_after("ke", "key"));
	assert_true(str_ends("a.conf", ".conf"));
	assert_true(str_ends(".conf", ".conf"));
	assert_false(str_ends("conf", ".conf"));
	assert_false(str_ends("a.conf~", ".conf"));
}

static void test_lines(void **state)
{
	const char *rest = "one\n\nthree", *line;
	size_t n;

	(void)state;
	assert_true(str_line(&rest, &line, &n));
	assert_memory_equal(line, "one", n);
	assert_int_equal(n, 3);
	assert_true(str_line(&rest, &line, &n));
	assert_int_equal(n, 0);
	assert_true(str_line(&rest, &line, &n));
	assert_string_equal(line, "three");
	assert_int_equal(n, 5);
	assert_false(str_line(&rest, &line, &n));
	assert_false(str_line(&rest, &line, &n));
	rest = "last\n";
	assert_true(str_line(&rest, &line, &n));
	assert_false(str_line(&rest, &line, &n));
}

/* github.com/containerd/containerd pkg/identifiers */
static void test_identifiers(void **state)
{
	static const char *const good[] = { "a", "0", "a-b", "a.b_c-d", "A1" };
	static const char *const bad[] = { "",	"-a", "a-",  "a--b", "a.-b",	"a/b",
					   ".", "..", "a b", "a\n",  "\xc3\xa4" };
	char longest[78];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(str_is_identifier(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(str_is_identifier(bad[i]));
	memset(longest, 'a', 77);
	longest[77] = '\0';
	assert_false(str_is_identifier(longest));
	longest[76] = '\0';
	assert_true(str_is_identifier(longest));
}

/* --- errors ---------------------------------------------------------------------------------- */

static void test_errors_gather_context(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	errno = ENOENT;
	assert_int_equal(err_sys(&err, ERR_NOT_FOUND, "open %s", "/x"), -1);
	assert_int_equal(err_in(&err, "bundle %d", 7), -1);
	assert_string_equal(err.text, "bundle 7: open /x: No such file or directory");
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(err.errnum, ENOENT);
	err_set(&err, ERR_INVALID, "two\nlines\tand\x7f more");
	assert_string_equal(err.text, "two lines and  more");
	assert_int_equal(err.errnum, 0);
}

static void test_errors_are_cut(void **state)
{
	char longer[2 * ERR_TEXT_MAX];
	struct err err;

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	errno = EIO;
	assert_int_equal(err_sys(&err, ERR_IO, "%s", longer), -1);
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
	assert_int_equal(err_in(&err, "%s", longer), -1);
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
	assert_int_equal(err_in(&err, "in"), -1);
	assert_memory_equal(err.text, "in: xxx", 7);
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
}

static void test_every_code_has_a_name(void **state)
{
	(void)state;
	for (int code = ERR_NONE; code <= ERR_NOMEM; code++)
		for (int other = code + 1; other <= ERR_NOMEM; other++)
			assert_string_not_equal(err_code_name((enum err_code)code),
						err_code_name((enum err_code)other));
}

/* --- lists ----------------------------------------------------------------------------------- */

struct item {
	int number;
	struct list in;
};

static int sum_in_order(struct list *head)
{
	int sum = 0;

	list_for_each(node, head)
		sum = sum * 10 + list_entry(node, struct item, in)->number;
	return sum;
}

static void test_lists(void **state)
{
	struct item a = { .number = 1 }, b = { .number = 2 }, c = { .number = 3 };
	struct list head, other;

	(void)state;
	list_init(&head);
	assert_true(list_empty(&head));
	assert_null(list_first(&head, struct item, in));
	assert_false(list_linked(&a.in));
	list_del(&a.in); /* in no list */
	list_add(&head, &a.in);
	list_add(&head, &b.in);
	list_add_first(&head, &c.in);
	assert_int_equal(sum_in_order(&head), 312);
	assert_ptr_equal(list_first(&head, struct item, in), &c);
	list_take_all(&other, &head);
	assert_true(list_empty(&head));
	assert_int_equal(sum_in_order(&other), 312);
	list_for_each_safe(node, &other)
		list_del(node);
	assert_true(list_empty(&other));
	list_del(&b.in);
	assert_false(list_linked(&b.in));
	list_take_all(&head, &other);
	assert_true(list_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf_grows_to_its_limit),
		cmocka_unit_test(test_buf_reserved_is_empty),
		cmocka_unit_test(test_buf_formats_and_consumes),
		cmocka_unit_test(test_arena_zeroes_and_aligns),
		cmocka_unit_test(test_arena_has_a_limit),
		cmocka_unit_test(test_cursor_reads_numbers),
		cmocka_unit_test(test_cursor_stays_bad),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_copies_are_terminated),
		cmocka_unit_test(test_prefix_and_suffix),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_identifiers),
		cmocka_unit_test(test_errors_gather_context),
		cmocka_unit_test(test_errors_are_cut),
		cmocka_unit_test(test_every_code_has_a_name),
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
