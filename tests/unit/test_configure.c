/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/base/mem.h"
#include "runtime/prepare/configure.h"

static const struct {
	const char *path, *cgroup; /* NULL: cannot be said */
} paths[] = {
	{ "", "" },
	{ "/k8s.io/abc", "/k8s.io/abc" },
	{ "relative/abc", "" },
	{ "/two\nlines", NULL },
	{ "system.slice:runc:abc", "/system.slice/runc-abc.scope" },
	{ "a-b-c.slice:cri-containerd:abc",
	  "/a.slice/a-b.slice/a-b-c.slice/cri-containerd-abc.scope" },
	{ "noslice:cri:abc", NULL },
	{ ":cri:abc", NULL },
	{ "a.slice:b:c:d", "" }, /* no form of systemd's */
};

static void test_cgroup(void **state)
{
	char got[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		bool known = configure_cgroup(paths[i].path, got, sizeof(got));

		assert_int_equal(known, paths[i].cgroup != NULL);
		if (known)
			assert_string_equal(got, paths[i].cgroup);
	}
	assert_false(configure_cgroup("a-b-c-d-e-f-g-h.slice:cri:abc", got, sizeof(got)));
	assert_false(configure_cgroup(
		"/a-path-of-more-than-sixty-three-characters-which-does-not-fit-here", got,
		sizeof(got)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cgroup),
	};

	return cmocka_run_group_tests_name("configure", tests, NULL, NULL);
}
