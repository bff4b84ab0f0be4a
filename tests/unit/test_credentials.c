/* SPDX-License-Identifier: Apache-2.0 */
/* The node's credentials for registries, chosen as the kubelet chooses them. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/containerd/credentials.h"

/* "name:KEY" where KEY is short: the user names show which entries were taken. */
#define ENTRY(key, user) "\"" key "\":{\"username\":\"" user "\",\"password\":\"p\"}"

static const char several[] =
	"{\"auths\":{" ENTRY("registry.example", "host") "," ENTRY("registry.example/team", "team") "," ENTRY(
		"https://registry.example/v2/team/app",
		"app") "," ENTRY("*.example",
				 "any") "," ENTRY("registry.example:5000",
						  "port") "," ENTRY("https://index.docker.io/v1/",
								    "docker") "," ENTRY("docker.io/"
											"a",
											"a") "}}";

static void expect(const char *text, const char *repository, const char *users)
{
	CLEANUP_CREDENTIALS struct credentials c = { .n = 0 };
	struct err err = ERR_INIT;
	char got[200] = "";

	if (credentials_parse(text, strlen(text), false, repository, &c, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < c.n; i++) {
		size_t at = strlen(got);

		(void)str_fmt(got + at, sizeof(got) - at, "%s%s=%s", i ? " " : "",
			      c.list[i].username, c.list[i].password);
	}
	assert_string_equal(got, users);
}

/* The longest path first, Docker's own registry by its name in the file, a star for one part. */
static void test_which(void **state)
{
	(void)state;
	expect(several, "registry.example/team/app", "app=p team=p host=p any=p");
	expect(several, "registry.example/team/other", "team=p host=p any=p");
	expect(several, "registry.example/x", "host=p any=p");
	expect(several, "registry.example:5000/team/app", "port=p");
	expect(several, "other.example/x", "any=p");
	expect(several, "a.b.example/x", "");
	expect(several, "registry.example.org/x", "");
	expect(several, "docker.io/library/python", "docker=p");
	expect(several, "docker.io/a/b", "a=p docker=p");
	expect(several, "ghcr.io/a/b", "");
	expect("{}", "ghcr.io/a/b", "");
	expect("{\"auths\":{}}", "ghcr.io/a/b", "");
	expect("{\"auths\":{\"ghcr.io\":{}},\"credsStore\":\"x\"}", "ghcr.io/a/b", "");
}

static void test_auth(void **state)
{
	(void)state;
	/* printf 'user:pass:word' | base64, and without padding */
	expect("{\"auths\":{\"h\":{\"auth\":\"dXNlcjpwYXNzOndvcmQ=\"}}}", "h/x", "user=pass:word");
	expect("{\"auths\":{\"h\":{\"auth\":\"dXNlcjpwYXNzOndvcmQ\",\"username\":\"no\"}}}", "h/x",
	       "user=pass:word");
	expect("{\"auths\":{\"h\":{\"auth\":\"dTo=\"}}}", "h/x", "u=");
}

static void test_broken(void **state)
{
	static const char *const rows[] = {
		"",
		"[]",
		"{\"auths\":[]}",
		"{\"auths\":{\"h\":1}}",
		"{\"auths\":{\"h\":{\"auth\":1}}}",
		"{\"auths\":{\"h\":{\"auth\":\"dXNlcg==\"}}}",
		"{\"auths\":{\"h\":{\"auth\":\"d!\"}}}",
		"{\"auths\":{\"h\":{\"auth\":\"d\"}}}",
		"{\"auths\":{\"h\":{\"auth\":\"dXNl=cg\"}}}",
		"{\"auths\":{\"h\":{\"auth\":\"AABBOg==\"}}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct credentials c = { .n = 0 };
		struct err err = ERR_INIT;

		if (credentials_parse(rows[i], strlen(rows[i]), false, "h/x", &c, &err) == 0)
			fail_msg("%s is accepted", rows[i]);
		assert_int_equal(c.n, 0);
	}
}

static void write_file(const char *dir, const char *name, const char *text)
{
	CLEANUP_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err err = ERR_INIT;

	assert_int_equal(file_replace(fd, name, 0600, text, strlen(text), &err), 0);
}

/* The first file that can be read is the only one; the old form has another frame. */
static void test_files(void **state)
{
	char dir[] = "/tmp/test_credentials.XXXXXX", one[80], two[80], old[80], none[80];
	const char *files[] = { none, one, two, NULL }, *legacy[] = { none, old, NULL };
	struct credentials c = { .n = 0 };
	struct err err = ERR_INIT;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)str_fmt(none, sizeof(none), "%s/none", dir);
	(void)str_fmt(one, sizeof(one), "%s/one", dir);
	(void)str_fmt(two, sizeof(two), "%s/two", dir);
	(void)str_fmt(old, sizeof(old), "%s/.dockercfg", dir);
	assert_int_equal(credentials_read(files, "h/x", &c, &err), 0);
	assert_int_equal(c.n, 0);
	write_file(dir, "one", "{");
	assert_int_equal(credentials_read(files, "h/x", &c, &err), -1);
	assert_non_null(strstr(err.text, one));
	write_file(dir, "two", "{\"auths\":{" ENTRY("h", "two") "}}");
	assert_int_equal(credentials_read(files, "h/x", &c, &err), 0);
	assert_string_equal(c.list[0].username, "two");
	credentials_deinit(&c);
	write_file(dir, "one", "{}");
	assert_int_equal(credentials_read(files, "h/x", &c, &err), 0);
	assert_int_equal(c.n, 0);
	write_file(dir, ".dockercfg", "{" ENTRY("h", "old") "}");
	assert_int_equal(credentials_read(legacy, "h/x", &c, &err), 0);
	assert_string_equal(c.list[0].username, "old");
	credentials_deinit(&c);
	assert_int_equal(unlink(one) | unlink(two) | unlink(old) | rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which),
		cmocka_unit_test(test_auth),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
