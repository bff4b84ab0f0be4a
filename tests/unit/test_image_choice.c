/* SPDX-License-Identifier: Apache-2.0 */
/* Names of images, and which member of an index suits a platform. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/arch/platform_rank.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/containerd/image_choice.h"
#include "runtime/containerd/image_reference.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "sha256:" HEX

/* --- names ----------------------------------------------------------------------------------- */

static void test_references(void **state)
{
	static const char *const rows[][3] = {
		/* written, its repository as written, in full */
		{ "python", "python", "docker.io/library/python:latest" },
		{ "python:3.12", "python", "docker.io/library/python:3.12" },
		{ "a/b", "a/b", "docker.io/a/b:latest" },
		{ "docker.io/python", "docker.io/python", "docker.io/library/python:latest" },
		{ "index.docker.io/a/b:x", "index.docker.io/a/b", "docker.io/a/b:x" },
		{ "localhost/a", "localhost/a", "localhost/a:latest" },
		{ "host:5000/a/b/c:v1", "host:5000/a/b/c", "host:5000/a/b/c:v1" },
		{ "host:5000/a", "host:5000/a", "host:5000/a:latest" },
		{ "ghcr.io/x/y_z__a-b.c@" DIGEST, "ghcr.io/x/y_z__a-b.c",
		  "ghcr.io/x/y_z__a-b.c@" DIGEST },
		{ "busybox:1.36@" DIGEST, "busybox", "docker.io/library/busybox@" DIGEST },
		{ "[::1]:5000/a:T", "[::1]:5000/a", "[::1]:5000/a:T" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct image_reference r;
		struct err err = ERR_INIT;
		char text[REFERENCE_MAX];

		if (image_reference_parse(rows[i][0], &r, &err) < 0)
			fail_msg("%s", err.text);
		image_reference_format(&r, text);
		assert_string_equal(text, rows[i][2]);
		assert_string_equal(r.written, rows[i][1]);
	}
}

static void test_no_references(void **state)
{
	static const char *const rows[] = {
		"",
		":",
		"@",
		"a:",
		"a@",
		"a@sha256:12",
		"A",
		"Host/A",
		"a b",
		"a:b c",
		"a:.b",
		"/a",
		"a/",
		"a//b",
		"host:5000/",
		"$(IMAGE)",
		"{{ .Values.image }}",
		"a\n",
		"https://host/a",
	};
	char longest[REFERENCE_MAX + 10];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct image_reference r;
		struct err err = ERR_INIT;

		if (image_reference_parse(rows[i], &r, &err) == 0)
			fail_msg("\"%s\" is taken for %s", rows[i], r.repository);
		assert_int_equal(err.code, ERR_INVALID);
	}
	for (size_t n = 200; n < sizeof(longest) - 1; n++) {
		struct image_reference r;
		struct err err = ERR_INIT;

		memset(longest, 'a', n);
		longest[n] = '\0';
		if (image_reference_parse(longest, &r, &err) == 0)
			assert_int_equal(strlen(r.repository), n + strlen("docker.io/library/"));
	}
}

/* --- platforms ------------------------------------------------------------------------------- */

static int rank(const char *wanted, const char *have)
{
	struct platform w, h;
	struct err err = ERR_INIT;

	assert_int_equal(platform_parse(wanted, &w, &err), 0);
	assert_int_equal(platform_parse(have, &h, &err), 0);
	return platform_rank(&w, &h);
}

static void test_ranks(void **state)
{
	static const struct {
		const char *wanted, *have;
		int rank;
	} rows[] = {
		{ "linux/arm64", "linux/arm64/v8", 0 },
		{ "linux/arm64/v8", "linux/arm64", 0 },
		{ "arm64", "linux/aarch64", 0 },
		{ "linux/arm64/v8.2", "linux/arm64", 2 },
		{ "linux/arm64", "linux/arm64/v8.2", -1 },
		{ "linux/arm64", "linux/arm64/v9", -1 },
		{ "linux/arm64/v9", "linux/arm64/v8.5", 1 },
		{ "linux/arm64/v9", "linux/arm64", 6 },
		{ "linux/arm64/v9", "linux/arm64/v8.6", -1 },
		{ "linux/arm64/v9.2", "linux/arm64/v9", 2 },
		{ "linux/arm64/v9.2", "linux/arm64/v8.7", 3 },
		{ "linux/arm64/v9.5", "linux/arm64/v8.9", 6 },
		{ "linux/arm64", "linux/arm/v7", -1 },
		{ "linux/arm", "linux/arm/v7", 0 },
		{ "linux/arm", "linux/arm/v6", 1 },
		{ "linux/arm/v7", "linux/arm/v5", 2 },
		{ "linux/arm/v6", "linux/arm/v7", -1 },
		{ "linux/arm", "linux/arm/v8", -1 },
		{ "linux/amd64", "linux/amd64/v2", -1 },
		{ "linux/amd64/v3", "linux/amd64/v2", 1 },
		{ "linux/amd64/v3", "linux/amd64", 2 },
		{ "linux/amd64", "linux/386", -1 },
		{ "linux/s390x", "linux/s390x", 0 },
		{ "linux/s390x", "windows/s390x", -1 },
		{ "linux/ppc64le", "linux/ppc64le/power9", -1 },
		{ "linux/ppc64le/power9", "linux/ppc64le/power9", 0 },
		{ "linux/riscv64", "linux/riscv64/rva23", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rank(rows[i].wanted, rows[i].have) != rows[i].rank)
			fail_msg("%s for %s: %d", rows[i].have, rows[i].wanted,
				 rank(rows[i].wanted, rows[i].have));
}

static const char *choose(const char *const *platforms, size_t n, const char *wanted)
{
	struct image_member list[8];
	struct image_members m = { .index = true, .list = list, .n = n };
	const struct image_member *found;
	struct platform p;
	struct err err = ERR_INIT;

	memset(list, 0, sizeof(list));
	for (size_t i = 0; i < n; i++)
		str_copy(list[i].platform, sizeof(list[i].platform), platforms[i]);
	assert_int_equal(platform_parse(wanted, &p, &err), 0);
	found = image_choice(&m, &p);
	return found ? platforms[found - list] : NULL;
}

static void test_choice(void **state)
{
	static const char *const arms[] = { "linux/amd64",  "linux/arm/v5",   "linux/arm/v7",
					    "linux/arm/v6", "linux/arm64/v8", "" };
	struct image_member list[3] = { { .platform = "linux/amd64" },
					{ .platform = "linux/arm/v7" },
					{ .platform = "linux/s390x" } };
	struct image_members m = { .index = true, .list = list, .n = 3 };
	char text[60];

	(void)state;
	assert_string_equal(choose(arms, 6, "linux/arm"), "linux/arm/v7");
	assert_string_equal(choose(arms, 6, "linux/arm/v6"), "linux/arm/v6");
	assert_string_equal(choose(arms, 2, "linux/arm/v6"), "linux/arm/v5");
	assert_string_equal(choose(arms, 6, "arm64"), "linux/arm64/v8");
	assert_null(choose(arms, 6, "linux/s390x"));
	assert_null(choose(arms, 0, "linux/s390x"));
	image_choice_text(&m, text, sizeof(text));
	assert_string_equal(text, "linux/amd64, linux/arm/v7 and linux/s390x");
	image_choice_text(&m, text, 20);
	assert_true(strlen(text) < 20);
	m.n = 0;
	image_choice_text(&m, text, sizeof(text));
	assert_string_equal(text, "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_no_references),
		cmocka_unit_test(test_ranks),
		cmocka_unit_test(test_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
