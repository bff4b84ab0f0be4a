/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "runtime/oci/patch.h"
#include "runtime/oci/seccomp.h"

static json *parse(const char *text)
{
	json *j = NULL;
	struct err err;

	if (json_parse(text, strlen(text), "it", &j, &err) < 0)
		fail_msg("%s", err.text);
	return j;
}

static const struct arch *amd64(void)
{
	return arch_by_name("amd64", 5);
}

static void expect_patched(const char *text, const struct patch *p, const char *want)
{
	CLEANUP_JSON json *j = parse(text);
	CLEANUP_BUF struct buf out = BUF_INIT(65536);
	struct err err;

	/* Twice: the second time changes nothing. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(patch_apply(j, p, &err), 0);
		buf_deinit(&out);
		assert_int_equal(json_print(j, &out, &err), 0);
		assert_string_equal(buf_str(&out), want);
	}
}

static void a_variable(void **state)
{
	struct patch p = { .qemu_cpu = "max", .host = amd64() };

	(void)state;
	expect_patched(
		"{\"z\":1.10,\"process\":{\"env\":[\"A=b\"],\"rlimit\":18446744073709551615},"
		"\"a\":\"/x\"}",
		&p,
		"{\"z\":1.10,\"process\":{\"env\":[\"A=b\",\"QEMU_CPU=max\"],"
		"\"rlimit\":18446744073709551615},\"a\":\"/x\"}");
	expect_patched("{\"process\":{\"env\":[\"QEMU_CPU=own\"]}}", &p,
		       "{\"process\":{\"env\":[\"QEMU_CPU=own\"]}}");
	expect_patched("{\"process\":{}}", &p, "{\"process\":{\"env\":[\"QEMU_CPU=max\"]}}");
}

static void nothing_to_do(void **state)
{
	struct patch p = { .host = amd64() };

	(void)state;
	expect_patched("{\"b\":1,\"a\":2}", &p, "{\"b\":1,\"a\":2}");
}

static void no_process(void **state)
{
	CLEANUP_JSON json *j = parse("{}");
	struct patch p = { .qemu_cpu = "max", .host = amd64() };
	struct err err;

	(void)state;
	assert_int_equal(patch_apply(j, &p, &err), -1);
}

static struct seccomp_fit judge(const char *text)
{
	CLEANUP_JSON json *j = parse(text);
	struct seccomp_fit fit;

	seccomp_judge(j, amd64(), &fit);
	return fit;
}

static void profiles_that_let_through(void **state)
{
	struct seccomp_fit fit;

	(void)state;
	seccomp_judge(NULL, amd64(), &fit);
	assert_false(fit.must_adapt);
	fit = judge("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mprotect\"],"
		    "\"action\":\"SCMP_ACT_ERRNO\"}]}");
	assert_false(fit.must_adapt);
	assert_null(fit.blocked);
}

static void a_profile_for_the_guest(void **state)
{
	struct seccomp_fit fit = judge("{\"defaultAction\":\"SCMP_ACT_ERRNO\","
				       "\"architectures\":[\"SCMP_ARCH_AARCH64\"],"
				       "\"syscalls\":[{\"names\":[\"read\",\"write\",\"exit\"],"
				       "\"action\":\"SCMP_ACT_ALLOW\"}]}");

	(void)state;
	assert_true(fit.must_adapt);
	assert_string_equal(fit.blocked, "mmap");
}

/* The names of the rule that was added, as one text. */
static void adapted(const char *text, char *names, size_t size)
{
	CLEANUP_JSON json *j = parse(text);
	struct seccomp_fit fit;
	struct err err;
	json *rules, *list;
	size_t before = json_object_array_length(json_member(j, "syscalls"));

	assert_int_equal(seccomp_adapt(j, amd64(), &err), 0);
	seccomp_judge(j, amd64(), &fit);
	assert_false(fit.must_adapt);
	rules = json_member(j, "syscalls");
	assert_true(json_object_array_length(rules) > before);
	list = json_member(json_object_array_get_idx(rules, before), "names");
	strncpy(names, json_object_get_string(list), size - 1);
}

static void what_is_added(void **state)
{
	char names[8192] = "";

	(void)state;
	adapted("{\"defaultAction\":\"SCMP_ACT_KILL\",\"architectures\":[\"SCMP_ARCH_ARM\"],"
		"\"syscalls\":[{\"names\":[\"open\",\"getuid32\",\"socketcall\"],"
		"\"action\":\"SCMP_ACT_ALLOW\"},{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_"
		"ALLOW\","
		"\"args\":[{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]},"
		"{\"names\":[\"sendto\",\"mprotect\"],\"action\":\"SCMP_ACT_ERRNO\"}]}",
		names, sizeof(names));
	assert_non_null(strstr(names, "\"openat\""));
	assert_non_null(strstr(names, "\"getuid\""));
	assert_non_null(strstr(names, "\"connect\""));
	assert_non_null(strstr(names, "\"futex\""));
	/* Filtered or forbidden by its author: stays. */
	assert_null(strstr(names, "\"clone\""));
	assert_null(strstr(names, "\"sendto\""));
	assert_null(strstr(names, "\"mprotect\""));
	/* No guest call maps to it and the emulator does not need it. */
	assert_null(strstr(names, "\"ptrace\""));
}

static void the_node_is_listed(void **state)
{
	struct patch p = { .adapt_seccomp = true, .host = amd64() };
	CLEANUP_JSON json *j =
		parse("{\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\","
		      "\"architectures\":[\"SCMP_ARCH_AARCH64\"]}}}");
	json *seccomp, *rules, *last;
	struct err err;

	(void)state;
	assert_int_equal(patch_apply(j, &p, &err), 0);
	seccomp = json_member(json_member(j, "linux"), "seccomp");
	assert_string_equal(json_object_to_json_string_ext(json_member(seccomp, "architectures"),
							   JSON_C_TO_STRING_PLAIN),
			    "[\"SCMP_ARCH_AARCH64\",\"SCMP_ARCH_X86_64\"]");
	rules = json_member(seccomp, "syscalls");
	last = json_object_array_get_idx(rules, json_object_array_length(rules) - 1);
	assert_string_equal(
		json_object_to_json_string_ext(last, JSON_C_TO_STRING_PLAIN),
		"{\"names\":[\"clone3\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38}");
}

static void odd_profiles(void **state)
{
	static const char *const odd[] = {
		"{}",
		"{\"defaultAction\":7,\"syscalls\":{},\"architectures\":1}",
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[null,1,{\"names\":{}},"
		"{\"names\":[null,1,\"\"],\"action\":null,\"args\":{}}],\"architectures\":[null]}",
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		CLEANUP_JSON json *j = parse(odd[i]);
		struct err err;

		(void)judge(odd[i]);
		assert_int_equal(seccomp_adapt(j, amd64(), &err), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_variable),
		cmocka_unit_test(nothing_to_do),
		cmocka_unit_test(no_process),
		cmocka_unit_test(profiles_that_let_through),
		cmocka_unit_test(a_profile_for_the_guest),
		cmocka_unit_test(what_is_added),
		cmocka_unit_test(the_node_is_listed),
		cmocka_unit_test(odd_profiles),
	};

	return cmocka_run_group_tests_name("patch", tests, NULL, NULL);
}
