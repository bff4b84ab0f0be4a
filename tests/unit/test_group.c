/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "shim/args.h"
#include "shim/group.h"
#include "shim/title.h"

/* What `start` does in its own process: whose shim it is, and what the one that stays looks like.
 */

static void expect(const char *text, const char *want)
{
	const char *found;
	struct err err;
	size_t n;

	assert_int_equal(group_find(text, &found, &n, &err), 0);
	assert_int_equal(n, strlen(want));
	assert_memory_equal(found, want, n);
}

#define RUNC "\"io.containerd.runc.v2.group\":"
#define CRIO "\"io.kubernetes.cri-o.SandboxID\":"
#define POD "\"io.kubernetes.cri.sandbox-id\":"

static void test_group(void **state)
{
	(void)state;
	expect("{}", "");
	expect(" { \"ociVersion\" : \"1.0.2\" } ", "");
	expect("{\"annotations\":{}}", "");
	expect("{\"annotations\":null}", "");
	expect("{\"annotations\":{" POD "\"pod\"}}", "pod");
	expect("{\"annotations\":{" CRIO "\"pod\"}}", "pod");
	expect("{\"annotations\":{" POD "\"pod\"," RUNC "\"mine\"}}", "mine");
	expect("{\"annotations\":{" RUNC "\"mine\"," POD "\"pod\"}}", "mine");
	expect("{\"annotations\":{" RUNC "\"\"," POD "\"pod\"}}", "pod");
	expect("{\n\t\"annotations\" : {\r\n " POD " \"pod\" , \"x\" : \"y\" }\n}\n", "pod");
}

/* The same words at other places mean nothing. */
static void test_group_elsewhere(void **state)
{
	(void)state;
	expect("{" POD "\"top\"}", "");
	expect("{\"process\":{\"annotations\":{" POD "\"deep\"}}}", "");
	expect("{\"x\":[{\"annotations\":{" POD "\"deep\"}}],\"annotations\":{" POD "\"pod\"}}",
	       "pod");
	expect("{\"annotations\":{\"x\":{" POD "\"deep\"}," POD "\"pod\"}}", "pod");
	expect("{\"a\":\"\\\"annotations\\\":{\",\"annotations\":{" POD "\"pod\"}}", "pod");
	expect("{\"a\":\"}]{[\\\\\",\"b\":[1,{},[\"]\"]],\"annotations\":{" POD "\"pod\"}}", "pod");
	expect("{\"a\":-1.5e3,\"b\":true,\"annotations\":{" POD "\"pod\"}}", "pod");
}

static void test_group_not_json(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"[]",
		"\"annotations\"",
		"{",
		"{\"a",
		"{\"a\"",
		"{\"a\":",
		"{\"a\":1",
		"{\"a\":}",
		"{a:1}",
		"{\"a\\",
		"{\"a\":[",
		"{\"annotations\":{",
		"{\"annotations\":{\"a\"}}",
		"{\"annotations\":[]}",
		"{\"annotations\":{" POD "7}}",
		"{\"annotations\":\"x\"}",
		"{1:2}",
		"{\"a\" 1",
		"{\"a\":{",
		"{\"a\":\"b}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct err err = ERR_INIT;
		const char *found;
		size_t n;

		assert_int_equal(group_find(texts[i], &found, &n, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
	}
}

static void read_fails(int dir, enum err_code code)
{
	CLEANUP_ARENA struct arena arena = { .chunks = NULL };
	struct err err = ERR_INIT;
	const char *group;

	assert_int_equal(group_read(dir, &arena, &group, &err), -1);
	assert_int_equal(err.code, code);
	assert_non_null(strstr(err.text, "config.json"));
}

static void test_group_file(void **state)
{
	static const char text[] = "{\"annotations\":{" POD "\"pod\"}}";
	CLEANUP_ARENA struct arena arena = { .chunks = NULL };
	char path[] = "/tmp/crossarch-group-XXXXXX";
	CLEANUP_FD int dir = -1;
	const char *group;
	struct err err;

	(void)state;
	if (syscall(SYS_openat2, -1, "", NULL, 0) < 0 && errno == ENOSYS)
		skip(); /* qemu-user does not pass it on */
	assert_non_null(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* The sandbox of a pod without a pause container. */
	assert_int_equal(group_read(dir, &arena, &group, &err), 0);
	assert_string_equal(group, "");
	/* Nobody would ever write to it: it is not waited for. */
	assert_int_equal(mkfifoat(dir, "config.json", 0600), 0);
	read_fails(dir, ERR_INVALID);
	assert_int_equal(unlinkat(dir, "config.json", 0), 0);
	assert_int_equal(file_replace(dir, "config.json", 0600, text, strlen(text), &err), 0);
	assert_int_equal(group_read(dir, &arena, &group, &err), 0);
	assert_string_equal(group, "pod");
	assert_int_equal(unlinkat(dir, "config.json", 0), 0);
	assert_int_equal(rmdir(path), 0);
}

/* --- the process that stays ----------------------------------------------------------------- */

/* An argument vector as the kernel lays it out. */
struct vector {
	char text[64];
	char *argv[5];
};

static void vector_init(struct vector *v)
{
	static const char words[] = "shim\0-id\0abc\0start";

	*v = (struct vector){ .text = "" };
	memcpy(v->text, words, sizeof(words));
	v->argv[0] = v->text;
	for (int i = 1; i < 4; i++)
		v->argv[i] = v->argv[i - 1] + strlen(v->argv[i - 1]) + 1;
	memset(v->text + sizeof(words), 'X', sizeof(v->text) - sizeof(words));
}

static void test_title(void **state)
{
	static const char *const shorter[] = { "shim", "-id", "abc", NULL };
	static const char *const longer[] = { "shim", "-address", "/x", "-debug", NULL };
	struct vector v;

	(void)state;
	vector_init(&v);
	title_set(v.argv, shorter);
	assert_memory_equal(v.text, "shim\0-id\0abc\0\0\0\0\0\0\0X", 20);
	vector_init(&v);
	title_set(v.argv, longer);
	assert_memory_equal(v.text, "shim\0-address\0/x\0\0\0X", 20);
}

static void test_args_outlive_the_vector(void **state)
{
	static const char *const title[] = { "x", NULL };
	CLEANUP_ARENA struct arena arena = { .chunks = NULL };
	struct args a, kept;
	struct vector v;
	struct err err;

	(void)state;
	vector_init(&v);
	assert_int_equal(args_parse(4, v.argv, &a, &err), 0);
	assert_int_equal(args_copy(&a, &arena, &kept, &err), 0);
	title_set(a.argv, title);
	assert_string_equal(kept.id, "abc");
	assert_string_equal(kept.namespace, "");
	assert_string_equal(kept.action, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_group_elsewhere),
		cmocka_unit_test(test_group_not_json),
		cmocka_unit_test(test_group_file),
		cmocka_unit_test(test_title),
		cmocka_unit_test(test_args_outlive_the_vector),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
