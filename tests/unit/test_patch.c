/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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

static const struct arch *named(const char *name)
{
	return arch_by_name(name, strlen(name));
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

	seccomp_judge(j, amd64(), named("arm"), &fit);
	return fit;
}

static void profiles_that_let_through(void **state)
{
	struct seccomp_fit fit;

	(void)state;
	seccomp_judge(NULL, amd64(), named("arm"), &fit);
	assert_false(fit.must_adapt);
	fit = judge("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mprotect\"],"
		    "\"action\":\"SCMP_ACT_ERRNO\"}]}");
	assert_false(fit.must_adapt);
	assert_string_equal(fit.blocked, "mprotect");
	assert_string_equal(fit.denied, "mprotect");
	fit = judge("{\"defaultAction\":\"SCMP_ACT_ALLOW\"}");
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

/* The names of the rule that was added on such a node, as one text. */
static void adapted_on(const struct arch *host, const char *text, const char *guest, char *names,
		       size_t size)
{
	CLEANUP_JSON json *j = parse(text);
	struct seccomp_fit fit;
	struct err err;
	json *rules, *list;
	size_t before = json_object_array_length(json_member(j, "syscalls"));

	assert_int_equal(seccomp_adapt(j, host, named(guest), NULL, &err), 0);
	seccomp_judge(j, host, named(guest), &fit);
	assert_false(fit.must_adapt);
	rules = json_member(j, "syscalls");
	assert_true(json_object_array_length(rules) > before);
	list = json_member(json_object_array_get_idx(rules, before), "names");
	strncpy(names, json_object_get_string(list), size - 1);
}

static void adapted(const char *text, const char *guest, char *names, size_t size)
{
	adapted_on(amd64(), text, guest, names, size);
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
		"arm", names, sizeof(names));
	assert_non_null(strstr(names, "\"openat\""));
	assert_non_null(strstr(names, "\"getuid\""));
	assert_null(strstr(names, "\"connect\"")); /* this guest has no socketcall */
	assert_non_null(strstr(names, "\"futex\""));
	/* Filtered or forbidden by its author: stays. */
	assert_null(strstr(names, "\"clone\""));
	assert_null(strstr(names, "\"sendto\""));
	assert_null(strstr(names, "\"mprotect\""));
	/* No guest call maps to it and the emulator does not need it. */
	assert_null(strstr(names, "\"ptrace\""));
}

static void only_calls_the_guest_has(void **state)
{
	static const char profile[] =
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"socketcall\","
		"\"mknod\",\"waitid\"],\"action\":\"SCMP_ACT_ALLOW\"}]}";
	char names[8192] = "";

	(void)state;
	adapted(profile, "s390x", names, sizeof(names));
	assert_non_null(strstr(names, "\"connect\""));
	assert_non_null(strstr(names, "\"sendmsg\""));
	assert_non_null(strstr(names, "\"mknodat\""));
	adapted(profile, "arm64", names, sizeof(names));
	assert_null(strstr(names, "\"connect\""));
	assert_null(strstr(names, "\"mknodat\""));
}

/* arm64 went without many calls of older architectures. */
static void calls_that_the_node_lacks(void **state)
{
	static const char profile[] = "{\"defaultAction\":\"SCMP_ACT_KILL\",\"syscalls\":[{"
				      "\"names\":[\"mkdir\",\"dup2\",\"chown32\"],"
				      "\"action\":\"SCMP_ACT_ALLOW\"}]}";
	static const char denying[] = "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{"
				      "\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_ERRNO\"}]}";
	CLEANUP_BUF struct buf notes = BUF_INIT(4096);
	CLEANUP_JSON json *j = parse(denying);
	char names[8192] = "";
	struct err err;

	(void)state;
	adapted_on(named("arm64"), profile, "386", names, sizeof(names));
	assert_non_null(strstr(names, "\"mkdirat\""));
	assert_non_null(strstr(names, "\"dup3\""));
	assert_non_null(strstr(names, "\"fchownat\""));	  /* chown32 is chown, and that is this */
	assert_non_null(strstr(names, "\"readlinkat\"")); /* the emulator's own need */
	assert_null(strstr(names, "\"unlinkat\""));
	assert_null(strstr(names, "\"arch_prctl\""));
	adapted(profile, "arm", names, sizeof(names));
	assert_null(strstr(names, "\"mkdirat\""));
	assert_null(strstr(names, "\"readlinkat\""));

	assert_int_equal(seccomp_adapt(j, named("arm64"), named("amd64"), &notes, &err), 0);
	assert_string_equal(buf_str(&notes),
			    "not kept, for the node knows the call by a name that is allowed: "
			    "mkdir as mkdirat\n");
}

/* The profile and what is said about it, after an adaptation for 32-bit Arm. */
static json *noted(const char *text, struct buf *notes)
{
	json *j = parse(text);
	struct err err;

	assert_int_equal(seccomp_adapt(j, amd64(), named("arm"), notes, &err), 0);
	return j;
}

static void rules_go_with_their_calls(void **state)
{
	CLEANUP_BUF struct buf notes = BUF_INIT(65536);
	CLEANUP_JSON json *j = noted(
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"setuid32\"],"
		"\"action\":\"SCMP_ACT_ERRNO\"},{\"names\":[\"clock_settime64\"],\"action\":"
		"\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":1,\"op\":"
		"\"SCMP_CMP_EQ\"}]},{\"names\":[\"mknod\"],\"action\":\"SCMP_ACT_ERRNO\"}]}",
		&notes);
	const char *text = json_object_to_json_string_ext(j, JSON_C_TO_STRING_PLAIN);

	(void)state;
	assert_non_null(strstr(text, "[\"setuid32\",\"setuid\"]"));
	assert_non_null(strstr(text, "[\"clock_settime64\",\"clock_settime\"]"));
	assert_null(strstr(text, "futex"));
	assert_string_equal(
		buf_str(&notes),
		"rules that deny or look at arguments now also hold for setuid\n"
		"rules that deny or look at arguments now also hold for clock_settime\n"
		"not kept, for the node knows the call by a name that is allowed: mknod as "
		"mknodat\n");
}

static void clone3_answers_enosys(void **state)
{
	CLEANUP_BUF struct buf notes = BUF_INIT(65536);
	CLEANUP_JSON json *j =
		noted("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"clone3\"],"
		      "\"action\":\"SCMP_ACT_KILL\"},{\"names\":[\"clone\"],\"action\":"
		      "\"SCMP_ACT_ERRNO\"}]}",
		      &notes);
	struct seccomp_fit fit;

	(void)state;
	assert_string_equal(
		json_object_to_json_string_ext(json_member(j, "syscalls"), JSON_C_TO_STRING_PLAIN),
		"[{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ERRNO\"},{\"names\":"
		"[\"clone3\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38}]");
	assert_string_equal(buf_str(&notes), "clone3 answers ENOSYS\nkept, though it judges the "
					     "emulator's own calls: clone (denied)\n");
	seccomp_judge(j, amd64(), named("arm"), &fit);
	assert_string_equal(fit.denied, "clone");
}

/* A filter is for one byte order: libseccomp refuses to add an architecture of the other. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OF_OUR_ORDER "SCMP_ARCH_AARCH64"
#else
#define OF_OUR_ORDER "SCMP_ARCH_PPC64"
#endif

static void what_libseccomp_takes(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} profiles[] = {
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"" OF_OUR_ORDER "\"],"
		  "\"syscalls\":[{\"names\":[\"read\",\"no_such_call\"],\"action\":"
		  "\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":1,\"op\":"
		  "\"SCMP_CMP_EQ\"}]}]}",
		  true },
		{ "{\"defaultAction\":\"SCMP_ACT_NONE\"}", false },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_PDP11\"]}",
		  false },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],"
		  "\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":9,\"op\":\"SCMP_CMP_EQ\"}]}]"
		  "}",
		  false },
	};
	int sink = open("/dev/null", O_WRONLY);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		CLEANUP_JSON json *j = parse(profiles[i].text);
		struct err err;

		assert_int_equal(seccomp_verify(j, sink, &err), profiles[i].good ? 0 : -1);
	}
	close(sink);
}

static void the_node_is_listed(void **state)
{
	struct patch p = { .adapt_seccomp = true, .host = amd64(), .guest = named("arm64") };
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
			    "[\"SCMP_ARCH_X86_64\"]");
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
		("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[null],"
		 "\"syscalls\":[null,1,{\"names\":{}},"
		 "{\"names\":[null,1,\"\"],\"action\":null,\"args\":{}}]}"),
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		CLEANUP_JSON json *j = parse(odd[i]);
		struct err err;

		(void)judge(odd[i]);
		assert_int_equal(seccomp_adapt(j, amd64(), named("arm"), NULL, &err), 0);
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
		cmocka_unit_test(only_calls_the_guest_has),
		cmocka_unit_test(calls_that_the_node_lacks),
		cmocka_unit_test(rules_go_with_their_calls),
		cmocka_unit_test(clone3_answers_enosys),
		cmocka_unit_test(what_libseccomp_takes),
		cmocka_unit_test(the_node_is_listed),
		cmocka_unit_test(odd_profiles),
	};

	return cmocka_run_group_tests_name("patch", tests, NULL, NULL);
}
