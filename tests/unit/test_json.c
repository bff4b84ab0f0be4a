/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "runtime/base/str.h"
#include "runtime/oci/json.h"
#include "runtime/oci/spec.h"

static void expect(const char *text, bool good)
{
	CLEANUP_JSON json *j = NULL;
	struct err err;

	if ((json_parse(text, strlen(text), "it", &j, &err) == 0) != good)
		fail_msg("%s: %s", text, good ? err.text : "was taken");
}

static void what_is_taken(void **state)
{
	static const char *const good[] = {
		"{}",
		"[]",
		" { \"a\" : [ 1 , -2.5e-3 , true , false , null , \"x\\u00e9\\n\" ] } ",
		"{\"a\":18446744073709551615}",
		"{\"a\":-9223372036854775808}",
		"{\"a\":1,\"a\":2}",
		"{\"it's\":\"NaN'\"}",
		"{\"\\\"NaN\":0}",
		"{\"a\":1.7976931348623157e308}",
		"{\"\xc3\xa9\":1}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		expect(good[i], true);
}

static void what_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"21\n",
		"null",
		"\"x\"",
		"{",
		"{\"a\"",
		"{\"a\":1,}",
		"[1,]",
		"{'a':1}",
		"{\"a\":'b'}",
		"{a:1}",
		"{\"a\":NaN}",
		"{\"a\":-Infinity}",
		"{\"a\":Infinity}",
		"{\"a\":nan}",
		"{\"a\":True}",
		"{\"a\":NULL}",
		"{\"a\":18446744073709551616}",
		"{\"a\":-9223372036854775809}",
		"{\"a\":99999999999999999999999}",
		"{\"a\":01}",
		"{\"a\":0x10}",
		"{\"a\":+1}",
		"{\"a\":1 2}",
		"{} {}",
		"{}x",
		"{} // c",
		"/* c */ {}",
		"{\"a\":\"\xff\"}",
		"{\"a\":\"\n\"}",
		"{\"a\tb\":1}",
		"{\"a\":\"b",
		"{\"a\":\"b\\",
		"\"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect(bad[i], false);
}

static void nul_bytes(void **state)
{
	json *j = NULL;
	struct err err;

	(void)state;
	assert_int_equal(json_parse("{}\0", 3, "it", &j, &err), -1);
	assert_int_equal(json_parse("{\0}", 3, "it", &j, &err), -1);
	assert_int_equal(json_parse("{\"a\":\"\0\"}", 9, "it", &j, &err), -1);
}

static void depth(void **state)
{
	char text[300];

	(void)state;
	for (int n = 1; n < 140; n++) {
		memset(text, '[', (size_t)n);
		memset(text + n, ']', (size_t)n);
		text[2 * n] = '\0';
		expect(text, n <= JSON_DEPTH);
	}
}

static void what_is_too_large(void **state)
{
	char *text = calloc(1, JSON_MAX + 2);
	struct err err;
	json *j = NULL;

	(void)state;
	memset(text, ' ', JSON_MAX + 1);
	assert_int_equal(json_parse(text, JSON_MAX + 1, "it", &j, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	free(text);
}

static void round_trip(void **state)
{
	static const char text[] =
		"{\"z\":1.10,\"a\":18446744073709551615,\"b\":9007199254740993,\"m\":[-0.0,1e400,"
		"\"/x\\u0001\"],\"empty\":{},\"n\":null,\"t\":true}";
	CLEANUP_BUF struct buf out = BUF_INIT(4096);
	CLEANUP_JSON json *j = NULL;
	struct err err;

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), "it", &j, &err), 0);
	assert_int_equal(json_print(j, &out, &err), 0);
	assert_string_equal(buf_str(&out), text);
}

static void members(void **state)
{
	static const char text[] = "{\"s\":\"x\",\"n\":1,\"nul\":null,\"z\":\"a\\u0000b\"}";
	CLEANUP_JSON json *j = NULL;
	const char *s = "";
	struct err err;
	json *v;

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), "it", &j, &err), 0);
	assert_int_equal(json_text(j, "s", "d", &s, &err), 0);
	assert_string_equal(s, "x");
	assert_int_equal(json_text(j, "absent", "d", &s, &err), 0);
	assert_string_equal(s, "d");
	assert_int_equal(json_text(j, "nul", "d", &s, &err), 0);
	assert_string_equal(s, "d");
	assert_int_equal(json_text(j, "n", "d", &s, &err), -1);
	assert_int_equal(json_text(j, "z", "d", &s, &err), -1);
	assert_int_equal(json_typed(NULL, "n", json_type_int, &v, &err), 0);
	assert_null(v);
}

static int read_spec(const char *text, json **j, struct arena *a, struct spec *s, struct err *err)
{
	assert_int_equal(json_parse(text, strlen(text), "it", j, err), 0);
	return spec_read(*j, a, s, err);
}

static void a_specification(void **state)
{
	static const char text[] =
		"{\"process\":{\"args\":[\"sh\",\"-c\"],\"env\":[\"PATH=/a\",\"PATH=/b\",\"X\"]},"
		"\"root\":{\"path\":\"/r\"},\"mounts\":[{\"destination\":\"/d\",\"type\":\"bind\","
		"\"source\":\"/s\",\"options\":[\"ro\"]}],\"annotations\":{\"k\":\"v\"},"
		"\"linux\":{\"cgroupsPath\":\"a:b:c\",\"namespaces\":[{\"type\":\"pid\"},"
		"{\"type\":\"user\",\"path\":\"/proc/7/ns/user\"}],"
		"\"resources\":{\"memory\":{\"limit\":1048576}}}}";
	CLEANUP_ARENA struct arena a = { NULL, 0, 0 };
	CLEANUP_JSON json *j = NULL;
	struct err err;
	struct spec s;

	(void)state;
	assert_int_equal(read_spec(text, &j, &a, &s, &err), 0);
	assert_string_equal(s.process.args[0], "sh");
	assert_null(s.process.args[2]);
	assert_string_equal(spec_env(&s.process, "PATH"), "/b");
	assert_null(spec_env(&s.process, "X"));
	assert_string_equal(s.process.cwd, "/");
	assert_string_equal(s.root, "/r");
	assert_int_equal(s.n_mounts, 1);
	assert_string_equal(s.mounts[0].options[0], "ro");
	assert_string_equal(spec_annotation(&s, "k"), "v");
	assert_null(spec_annotation(&s, "l"));
	assert_true(s.private_pid);
	assert_string_equal(s.user_path, "/proc/7/ns/user");
	assert_int_equal(s.memory_max, 1048576);
}

/* Whose hooks may change files is not known by looking; docker's and nerdctl's own are. */
static void hooks(void **state)
{
	static const struct {
		const char *hooks;
		bool change_files, poststop;
	} rows[] = {
		{ "{}", false, false },
		{ "{\"poststop\":[{\"path\":\"/x\"}]}", false, true },
		{ "{\"prestart\":[{\"path\":\"/x\"}]}", true, false },
		{ "{\"startContainer\":[{\"path\":\"/x\",\"args\":[]}]}", true, false },
		{ "{\"prestart\":[{\"path\":\"/proc/7/exe\",\"args\":[\"libnetwork-setkey\","
		  "\"-exec-root=/var/run/docker\",\"c1\",\"c2\"]}]}",
		  false, false },
		{ "{\"createRuntime\":[{\"path\":\"/usr/bin/nerdctl\",\"args\":[\"/usr/bin/"
		  "nerdctl\","
		  "\"--data-root=/x\",\"internal\",\"oci-hook\",\"createRuntime\"]}],"
		  "\"poststop\":[{\"path\":\"/usr/bin/nerdctl\"}]}",
		  false, true },
		{ "{\"createRuntime\":[{\"path\":\"/usr/bin/"
		  "nerdctl\",\"args\":[\"nerdctl\",\"internal\"]}]}",
		  true, false },
		{ "{\"prestart\":[{\"path\":\"/x\",\"args\":[\"libnetwork-setkey\"]},"
		  "{\"path\":\"/y\",\"args\":[\"nvidia-container-runtime-hook\"]}]}",
		  true, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct arena CLEANUP_ARENA a = { .chunks = NULL };
		struct err err = ERR_INIT;
		CLEANUP_JSON json *j = NULL;
		char text[600];
		struct spec s;

		assert_true(str_fmt(text, sizeof(text), "{\"process\":{},\"hooks\":%s}",
				    rows[i].hooks));
		assert_int_equal(read_spec(text, &j, &a, &s, &err), 0);
		assert_int_equal(s.hooks.change_files, rows[i].change_files);
		assert_int_equal(s.hooks.poststop, rows[i].poststop);
	}
}

static void bad_specifications(void **state)
{
	static const char *const bad[] = {
		"[]",
		"{\"process\":[]}",
		"{\"process\":{\"args\":\"sh\"}}",
		"{\"process\":{\"args\":[1]}}",
		"{\"process\":{\"cwd\":1}}",
		"{\"root\":\"/\"}",
		"{\"mounts\":{}}",
		"{\"mounts\":[{\"destination\":1}]}",
		"{\"linux\":{\"namespaces\":{}}}",
		"{\"linux\":{\"resources\":{\"memory\":{\"limit\":\"1\"}}}}",
		"{\"annotations\":{\"a\":1}}",
		"{\"hooks\":{\"prestart\":{}}}",
		"{\"hooks\":{\"prestart\":[1]}}",
		"{\"hooks\":{\"prestart\":[{\"args\":[1]}]}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CLEANUP_ARENA struct arena a = { NULL, 0, 0 };
		CLEANUP_JSON json *j = NULL;
		struct err err;
		struct spec s;

		if (read_spec(bad[i], &j, &a, &s, &err) == 0)
			fail_msg("%s was taken", bad[i]);
		assert_int_equal(err.code, ERR_INVALID);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_taken),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(nul_bytes),
		cmocka_unit_test(depth),
		cmocka_unit_test(what_is_too_large),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(members),
		cmocka_unit_test(a_specification),
		cmocka_unit_test(hooks),
		cmocka_unit_test(bad_specifications),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
