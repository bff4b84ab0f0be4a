/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "shim/sandbox/pod_cgroup.h"

/* Where the cgroup of a pod's sandbox is. */

static void expect(const char *parent, const char *want)
{
	char path[PATH_MAX];
	struct err err;

	if (pod_cgroup_path(parent, "id", path, &err) < 0)
		fail_msg("%s: %s", parent, err.text);
	assert_string_equal(path, want);
}

static void cgroupfs(void **state)
{
	(void)state;
	expect("", "");
	expect("/kubepods/burstable/pod1", "/kubepods/burstable/pod1/id");
	expect("kubepods", "/kubepods/id");
	expect("/", "/id");
	expect("//kubepods//pod1/", "/kubepods/pod1/id");
	expect("/./kubepods/.", "/kubepods/id");
	expect("/a.slice/b", "/a.slice/b/id");
	expect("/...", "/.../id");
}

/* It never leaves the hierarchies. */
static void upwards(void **state)
{
	(void)state;
	expect("/a/../b", "/b/id");
	expect("..", "/id");
	expect("/../../../a", "/a/id");
	expect("/a/..", "/id");
	expect("/a/b/../../c.slice", "/c.slice/cri-containerd-id.scope");
}

static void systemd(void **state)
{
	(void)state;
	expect("kubepods.slice", "/kubepods.slice/cri-containerd-id.scope");
	expect("kubepods-burstable-pod1.slice",
	       "/kubepods.slice/kubepods-burstable.slice/"
	       "kubepods-burstable-pod1.slice/cri-containerd-id.scope");
	/* Only the name counts, as for the engine. */
	expect("/x/kubepods-pod1.slice/",
	       "/kubepods.slice/kubepods-pod1.slice/cri-containerd-id.scope");
	expect("-.slice", "/cri-containerd-id.scope");
}

static void no_slices(void **state)
{
	static const char *const parents[] = { ".slice", "-a.slice", "a-.slice", "a--b.slice",
					       "--.slice" };
	char path[PATH_MAX];
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parents); i++) {
		assert_int_equal(pod_cgroup_path(parents[i], "id", path, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
		assert_non_null(strstr(err.text, "is no slice"));
	}
}

static void too_long(void **state)
{
	static char parent[2 * PATH_MAX];
	char path[PATH_MAX];
	struct err err;

	(void)state;
	memset(parent, 'x', sizeof(parent) - 1);
	for (size_t n = sizeof(parent) - 1; n >= PATH_MAX - 3; n -= n > PATH_MAX + 8 ? 512 : 1) {
		parent[n] = '\0';
		parent[0] = '/';
		assert_int_equal(pod_cgroup_path(parent, "id", path, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
	}
	parent[PATH_MAX - 4] = '\0'; /* "/id" and the end fit behind it */
	assert_int_equal(pod_cgroup_path(parent, "id", path, &err), 0);
	assert_int_equal(strlen(path), PATH_MAX - 1);
	/* Every dash names one slice more. */
	memset(parent, 0, sizeof(parent));
	for (size_t i = 0; i < 400; i += 2)
		memcpy(parent + i, i ? "-a" : "aa", 2);
	strcat(parent, ".slice");
	assert_int_equal(pod_cgroup_path(parent, "id", path, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cgroupfs),  cmocka_unit_test(upwards),	 cmocka_unit_test(systemd),
		cmocka_unit_test(no_slices), cmocka_unit_test(too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
