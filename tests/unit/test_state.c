/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "shim/task/state.h"

/* The whole matrix against a table written by hand (shim/README.md, Tasks): s start, k kill, a
 * kill all, d delete, e exec, p pause, r resume, u update, c checkpoint, z resize. */
static const char *const expected[PROCESS_STATE_N] = {
	[PROCESS_CREATING] = "",     [PROCESS_CREATED] = "skadeuz", [PROCESS_RUNNING] = "kaepucz",
	[PROCESS_PAUSED] = "karucz", [PROCESS_STOPPED] = "ad",
};
static const char letters[OP_N + 1] = "skadepruc"
				      "z";

static void test_matrix(void **state)
{
	struct err err;

	(void)state;
	for (int s = 0; s < PROCESS_STATE_N; s++)
		for (int op = 0; op < OP_N; op++) {
			int rc = state_check((enum process_state)s, (enum process_op)op, &err);

			assert_int_equal(rc == 0, strchr(expected[s], letters[op]) != NULL);
			if (rc < 0)
				assert_int_equal(err.code, ERR_PRECONDITION);
		}
}

static void test_texts(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(state_check(PROCESS_RUNNING, OP_DELETE, &err), -1);
	assert_string_equal(err.text, "cannot delete a running process");
	assert_int_equal(state_check(PROCESS_STOPPED, OP_EXEC, &err), -1);
	assert_string_equal(err.text, "cannot exec in a stopped process");
}

static void test_wire(void **state)
{
	(void)state;
	assert_int_equal(state_wire(PROCESS_CREATED), 1);
	assert_int_equal(state_wire(PROCESS_RUNNING), 2);
	assert_int_equal(state_wire(PROCESS_STOPPED), 3);
	assert_int_equal(state_wire(PROCESS_PAUSED), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
