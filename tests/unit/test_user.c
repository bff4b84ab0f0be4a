/* SPDX-License-Identifier: Apache-2.0 */
/* Who a user of an image is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/base/mem.h"
#include "runtime/oci/user.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "# a comment\n"
			     "broken\n"
			     "app:x:1000:1001::/home/app:\n"
			     "app:x:7:7:the first one counts::\n"
			     "twin:x:1000:9::/:\n"
			     "short:x:5";
static const char group[] = "root:x:0:\n"
			    "app:x:1001:\n"
			    "audio:x:29:app,other\n"
			    "video:x:44:other,app\n"
			    "near:x:45:apps\n"
			    "broken:x:many:app\n";

static void test_resolve(void **state)
{
	static const struct {
		const char *user;
		bool known;
		uid_t uid;
		gid_t gid;
		size_t groups;
	} rows[] = {
		{ "root", true, 0, 0, 0 },
		{ "0", true, 0, 0, 0 },
		{ "app", true, 1000, 1001, 2 },
		{ "1000", true, 1000, 1001, 2 },
		{ "1000:5", true, 1000, 5, 2 },
		{ "app:audio", true, 1000, 29, 2 },
		{ "4711", true, 4711, 0, 0 },
		{ "4711:app", true, 4711, 1001, 0 },
		{ "short", true, 5, 0, 0 },
		{ "nobody", false, 0, 0, 0 },
		{ "app:nothing", false, 0, 0, 0 },
		{ "4294967296", false, 0, 0, 0 },
		{ "", false, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct user_ids ids;

		if (user_resolve(rows[i].user, passwd, group, &ids) != rows[i].known)
			fail_msg("%s", rows[i].user);
		if (!rows[i].known)
			continue;
		if (ids.uid != rows[i].uid || ids.gid != rows[i].gid ||
		    ids.n_groups != rows[i].groups)
			fail_msg("%s: %u:%u, %zu groups", rows[i].user, ids.uid, ids.gid,
				 ids.n_groups);
	}
}

static void test_groups(void **state)
{
	struct user_ids ids;

	(void)state;
	assert_true(user_resolve("app", passwd, group, &ids));
	assert_true(user_has_group(&ids, 1001)); /* its own */
	assert_true(user_has_group(&ids, 29));
	assert_true(user_has_group(&ids, 44));
	assert_false(user_has_group(&ids, 45));
	assert_false(user_has_group(&ids, 0));
}

static void test_no_files(void **state)
{
	struct user_ids ids;

	(void)state;
	assert_true(user_resolve("0", "", "", &ids));
	assert_false(user_resolve("root", "", "", &ids));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_no_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
