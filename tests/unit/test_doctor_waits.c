/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "runtime/cli/doctor_waits.h"

/* Only the findings of one judgement are in there. */
static struct findings judge(unsigned int move, unsigned int unmount, struct kernel_setting s)
{
	const struct kernel_waits w = { .move = move, .unmount = unmount };
	struct findings f = { .section = "node" };

	doctor_waits_judge(&f, &w, &s);
	return f;
}

static void test_what_is_not_felt_has_no_fix(void **state)
{
	struct findings f = judge(4210, 130, (struct kernel_setting){ .cgroup2 = true });

	(void)state;
	assert_int_equal(f.n, 2);
	assert_int_equal(f.list[0].grade, GRADE_INFO);
	assert_string_equal(f.list[0].value, "a first one takes 4.2 ms");
	assert_string_equal(f.list[0].fix, "");
	assert_string_equal(f.list[1].value, "takes 0.1 ms");
	assert_string_equal(f.list[1].fix, "");
}

static void test_a_move_that_is_felt(void **state)
{
	struct findings f =
		judge(15900, 0, (struct kernel_setting){ .cgroup2 = true, .can_favor = true });

	(void)state;
	assert_int_equal(f.n, 1);
	assert_int_equal(f.list[0].grade, GRADE_WARN);
	assert_non_null(strstr(f.list[0].value, "15.9 ms"));
	assert_string_equal(f.list[0].fix, "mount -o remount,favordynmods /sys/fs/cgroup");
	f = judge(15900, 0, (struct kernel_setting){ .cgroup2 = true });
	assert_string_equal(f.list[0].fix, "echo 1 > /sys/kernel/rcu_expedited");
	f = judge(15900, 0, (struct kernel_setting){ .can_favor = true });
	assert_string_equal(f.list[0].fix, "echo 1 > /sys/kernel/rcu_expedited");
}

/* Nobody is told to do what is done. */
static void test_what_is_set_is_not_advised(void **state)
{
	struct findings f =
		judge(15900, 0, (struct kernel_setting){ .cgroup2 = true, .favordynmods = true });

	(void)state;
	assert_int_equal(f.list[0].grade, GRADE_INFO);
	assert_string_equal(f.list[0].value, "a first one takes 15.9 ms, favordynmods");
	f = judge(15900, 0, (struct kernel_setting){ .rcu_expedited = true });
	assert_string_equal(f.list[0].fix, "");
}

static void test_unmounting(void **state)
{
	struct findings f = judge(0, 20000, (struct kernel_setting){ .rcu_normal = true });

	(void)state;
	assert_int_equal(f.n, 1);
	assert_string_equal(f.list[0].fix, "echo 0 > /sys/kernel/rcu_normal");
	f = judge(0, 20000, (struct kernel_setting){ .rcu_normal = false });
	assert_int_equal(f.list[0].grade, GRADE_INFO);
}

static void test_what_is_not_known_is_not_told(void **state)
{
	struct findings f = judge(0, 0, (struct kernel_setting){ .cgroup2 = true });

	(void)state;
	assert_int_equal(f.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_not_felt_has_no_fix),
		cmocka_unit_test(test_a_move_that_is_felt),
		cmocka_unit_test(test_what_is_set_is_not_advised),
		cmocka_unit_test(test_unmounting),
		cmocka_unit_test(test_what_is_not_known_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
