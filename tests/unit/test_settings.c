/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "runtime/base/str.h"
#include "runtime/oci/settings.h"
#include "runtime/oci/toml.h"

static int from_json(struct settings *s, const char *text, struct complaint *bad)
{
	CLEANUP_JSON json *j = NULL;
	struct err err;

	settings_init(s);
	assert_int_equal(json_parse(text, strlen(text), "it", &j, &err), 0);
	return settings_from_json(s, j, "/etc/x.json", bad);
}

static int from_pod(struct settings *s, const char *text, struct complaint *bad)
{
	struct spec spec = { .document = NULL };
	CLEANUP_JSON json *j = NULL;
	struct err err;

	settings_init(s);
	assert_int_equal(json_parse(text, strlen(text), "it", &j, &err), 0);
	spec.document = j;
	return settings_from_annotations(s, &spec, bad);
}

static void defaults(void **state)
{
	struct settings s;

	(void)state;
	settings_init(&s);
	assert_false(s.emulation_never || s.seccomp_keep || s.private_emulators);
	assert_true(s.image_check);
	assert_int_equal(s.log_level, LOG_INFO);
	assert_false(s.pull_never || platform_known(&s.wanted));
	assert_int_equal(s.pulls_at_once, 2);
	assert_int_equal(s.pull_max_mb, 0);
	assert_string_equal(s.credentials, "");
}

static void every_key_of_the_file(void **state)
{
	struct complaint bad;
	struct settings s;

	(void)state;
	assert_int_equal(from_json(&s,
				   "{\"engine\":\"/opt/runc\",\"emulation\":\"never\","
				   "\"cpu\":\"max\",\"seccomp\":\"keep\",\"image_check\":false,"
				   "\"private_emulators\":true,\"log_level\":\"debug\"}",
				   &bad),
			 0);
	assert_string_equal(s.engine, "/opt/runc");
	assert_true(s.emulation_never && s.seccomp_keep && s.private_emulators);
	assert_false(s.image_check);
	assert_int_equal(s.log_level, LOG_DEBUG);
	assert_string_equal(settings_cpu(&s, arch_by_name("arm64", 5)), "max");
}

static void a_choice_of_platform(void **state)
{
	struct complaint bad;
	struct settings s;

	(void)state;
	assert_int_equal(from_json(&s,
				   "{\"platform\":\"linux/arm64/v8\",\"pull\":\"never\","
				   "\"pulls_at_once\":64,\"pull_max_mb\":500,"
				   "\"credentials\":\"/etc/crossarch/auth.json\"}",
				   &bad),
			 0);
	assert_string_equal(s.wanted.arch, "arm64");
	assert_string_equal(s.wanted.variant, "");
	assert_true(s.pull_never && !s.wanted_by_pod);
	assert_int_equal(s.pulls_at_once, 64);
	assert_int_equal(s.pull_max_mb, 500);
	assert_string_equal(s.credentials, "/etc/crossarch/auth.json");
}

/* What a pod says comes after what its node says. */
static int node_then_pod(struct settings *s, const char *node, const char *pod,
			 struct complaint *bad)
{
	struct spec spec = { .document = NULL };
	CLEANUP_JSON json *j = NULL;
	struct err err;

	assert_int_equal(from_json(s, node, bad), 0);
	assert_int_equal(json_parse(pod, strlen(pod), "it", &j, &err), 0);
	spec.document = j;
	return settings_from_annotations(s, &spec, bad);
}

static void a_pod_chooses_but_permits_nothing(void **state)
{
	static const char *const refused[] = {
		"{\"annotations\":{\"io.crossarch.pull\":\"auto\"}}",
		"{\"annotations\":{\"io.crossarch.credentials\":\"/etc/shadow\"}}",
		"{\"annotations\":{\"io.crossarch.pulls_at_once\":\"1\"}}",
		"{\"annotations\":{\"io.crossarch.pull_max_mb\":\"0\"}}",
	};
	struct complaint bad;
	struct settings s;

	(void)state;
	assert_int_equal(
		node_then_pod(&s, "{\"platform\":\"linux/arm64\"}",
			      "{\"annotations\":{\"io.crossarch.platform\":\"linux/s390x\","
			      "\"io.crossarch.pull\":\"never\"}}",
			      &bad),
		0);
	assert_string_equal(s.wanted.arch, "s390x");
	assert_true(s.wanted_by_pod && s.pull_never);
	assert_int_equal(node_then_pod(&s, "{\"platform\":\"linux/arm64\",\"pull\":\"never\"}",
				       "{\"annotations\":{}}", &bad),
			 0);
	assert_true(!s.wanted_by_pod && s.pull_never);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_int_equal(node_then_pod(&s, "{}", refused[i], &bad), -1);
	assert_int_equal(node_then_pod(&s, "{\"pull\":\"never\"}", refused[0], &bad), -1);
	assert_string_equal(bad.what, "the pod sets \"io.crossarch.pull\" to \"auto\"");
	assert_string_equal(bad.why, "the values are never alone: a pod can forbid a pull, not "
				     "permit one");
}

static void variables_of_qemu(void **state)
{
	static const char *const bad_text[] = {
		"{\"qemu\":1}",
		"{\"qemu\":{\"LD_PRELOAD\":\"x\"}}",
		"{\"qemu\":{\"QEMU_GDB\":\"1234\"}}",
		"{\"qemu\":{\"QEMU_CPU\":\"max\"}}",
		"{\"qemu\":{\"QEMU_A=B\":\"x\"}}",
		"{\"qemu\":{\"QEMU_STACK_SIZE\":1}}",
	};
	struct complaint bad;
	struct settings s;

	(void)state;
	assert_int_equal(from_json(&s, "{\"qemu\":{\"QEMU_STACK_SIZE\":\"8388608\"}}", &bad), 0);
	assert_int_equal(s.n_variables, 1);
	assert_string_equal(s.variables[0].name, "QEMU_STACK_SIZE");
	assert_string_equal(s.variables[0].value, "8388608");
	for (size_t i = 0; i < ARRAY_SIZE(bad_text); i++)
		assert_int_equal(from_json(&s, bad_text[i], &bad), -1);
}

static void cpu_by_platform(void **state)
{
	struct complaint bad;
	struct settings s;

	(void)state;
	assert_int_equal(
		from_json(&s, "{\"cpu\":{\"linux/arm64\":\"cortex-a57\",\"arm\":\"max,x=off\"}}",
			  &bad),
		0);
	assert_string_equal(settings_cpu(&s, arch_by_name("arm64", 5)), "cortex-a57");
	assert_string_equal(settings_cpu(&s, arch_by_name("arm", 3)), "max,x=off");
	assert_string_equal(settings_cpu(&s, arch_by_name("s390x", 5)), "");
}

static void bad_files(void **state)
{
	static const struct {
		const char *text, *what;
	} rows[] = {
		{ "[]", "/etc/x.json cannot be read" },
		{ "{\"engin\":\"runc\"}", "/etc/x.json has the key \"engin\"" },
		{ "{\"engine\":\"docker\"}", "/etc/x.json sets \"engine\" to \"docker\"" },
		{ "{\"engine\":1}", "/etc/x.json sets \"engine\" to \"1\"" },
		{ "{\"engine\":null}", "/etc/x.json sets \"engine\" to \"null\"" },
		{ "{\"emulation\":\"always\"}", "/etc/x.json sets \"emulation\" to \"always\"" },
		{ "{\"log_level\":\"loud\"}", "/etc/x.json sets \"log_level\" to \"loud\"" },
		{ "{\"cpu\":\"a b\"}", "/etc/x.json sets \"cpu\" to \"a b\"" },
		{ "{\"cpu\":{\"a/b/c/d\":\"max\"}}", "/etc/x.json sets \"cpu\" to \"a/b/c/d\"" },
		{ "{\"cpu\":{\"arm\":3}}", "/etc/x.json sets \"cpu\" to \"3\"" },
		{ "{\"cpu\":{\"arm\":null}}", "/etc/x.json sets \"cpu\" to \"null\"" },
		{ "{\"image_check\":\"perhaps\"}",
		  "/etc/x.json sets \"image_check\" to \"perhaps\"" },
		{ "{\"platform\":\"a/b/c/d\"}", "/etc/x.json sets \"platform\" to \"a/b/c/d\"" },
		{ "{\"platform\":[\"arm64\"]}",
		  "/etc/x.json sets \"platform\" to \"[ \"arm64\" ]\"" },
		{ "{\"pull\":\"always\"}", "/etc/x.json sets \"pull\" to \"always\"" },
		{ "{\"pulls_at_once\":0}", "/etc/x.json sets \"pulls_at_once\" to \"0\"" },
		{ "{\"pulls_at_once\":65}", "/etc/x.json sets \"pulls_at_once\" to \"65\"" },
		{ "{\"pulls_at_once\":\"2\"}", "/etc/x.json sets \"pulls_at_once\" to \"2\"" },
		{ "{\"pull_max_mb\":-1}", "/etc/x.json sets \"pull_max_mb\" to \"-1\"" },
		{ "{\"pull_max_mb\":1.5}", "/etc/x.json sets \"pull_max_mb\" to \"1.5\"" },
		{ "{\"credentials\":\"auth.json\"}",
		  "/etc/x.json sets \"credentials\" to \"auth.json\"" },
		{ "{\"credentials\":{}}", "/etc/x.json sets \"credentials\" to \"{ }\"" },
		{ "{\"SystemdCgroup\":true}", "/etc/x.json has the key \"SystemdCgroup\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct complaint bad = { "", "", "" };
		struct settings s;

		assert_int_equal(from_json(&s, rows[i].text, &bad), -1);
		assert_string_equal(bad.what, rows[i].what);
		assert_true(bad.why[0] && bad.fix[0]);
	}
}

static void annotations(void **state)
{
	struct complaint bad;
	struct settings s;

	(void)state;
	assert_int_equal(
		from_pod(&s,
			 "{\"annotations\":{\"io.crossarch.platform\":\"linux/aarch64\","
			 "\"io.crossarch.cpu\":\"max\",\"io.crossarch.emulation\":\"auto\","
			 "\"io.crossarch.private-emulators\":\"false\",\"other\":\"x\"}}",
			 &bad),
		0);
	assert_string_equal(s.wanted.arch, "arm64");
	assert_int_equal(from_pod(&s, "{}", &bad), 0);
	assert_int_equal(from_pod(&s, "{\"annotations\":{\"io.crossarch.engine\":\"x\"}}", &bad),
			 -1);
	assert_string_equal(bad.what, "the pod has the key \"io.crossarch.engine\"");
	assert_int_equal(from_pod(&s, "{\"annotations\":{\"io.crossarch.seccomp\":\"off\"}}", &bad),
			 -1);
	assert_string_equal(bad.why, "the values are adapt and keep");
	assert_int_equal(from_pod(&s,
				  "{\"annotations\":{\"io.crossarch.private_emulators\":\"true\"}}",
				  &bad),
			 -1);
}

static void a_table_of_options(void **state)
{
	static const char text[] = "# from containerd\r\n"
				   "TypeUrl = \"runtimeoptions.v1.Options\"\n"
				   "ConfigPath = ''\n"
				   "emulation = 'never' # here\n"
				   "SystemdCgroup = true\n"
				   "IoUid = 1000\n"
				   "BinaryName = \"/usr/bin/\\\"x\\\"\"\n"
				   "\n"
				   "Root=\"/run/r\"";
	struct complaint bad;
	struct settings s;

	(void)state;
	settings_init(&s);
	assert_int_equal(settings_from_toml(&s, text, "options", &bad), 0);
	assert_true(s.emulation_never && s.systemd_cgroup);
	assert_int_equal(s.io_uid, 1000);
	assert_string_equal(s.engine, "/usr/bin/\"x\"");
	assert_string_equal(s.root, "/run/r");
}

static void bad_tables(void **state)
{
	static const char *const bad_text[] = {
		"[table]",
		"a.b = 1",
		"emulation",
		"emulation = ",
		"emulation = x",
		"a = [1]",
		"a = { b = 1 }",
		"emulation = \"auto",
		"a = \"\"\"x\"\"\"",
		"a = 1 2",
		"emulation = \"auto\" x",
		"a = \"\\q\"",
		"IoUid = 0x10",
		"IoUid = -1",
		"IoUid = \"5\"",
		"nothing = 1",
		"IoUid = 4294967296",
		"cpu = true",
		"= 1",
		"engine = runc",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_text); i++) {
		struct complaint bad = { "", "", "" };
		struct settings s;

		settings_init(&s);
		if (settings_from_toml(&s, bad_text[i], "options", &bad) == 0)
			fail_msg("%s was taken", bad_text[i]);
		assert_true(bad.what[0] && bad.why[0] && bad.fix[0]);
	}
}

static void nested_tables_name_the_way_out(void **state)
{
	struct complaint bad;
	struct settings s;

	(void)state;
	settings_init(&s);
	assert_int_equal(settings_from_toml(&s, "[a]\nb = 1\n", "options", &bad), -1);
	assert_non_null(strstr(bad.fix, "ConfigPath"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(every_key_of_the_file),
		cmocka_unit_test(a_choice_of_platform),
		cmocka_unit_test(a_pod_chooses_but_permits_nothing),
		cmocka_unit_test(variables_of_qemu),
		cmocka_unit_test(cpu_by_platform),
		cmocka_unit_test(bad_files),
		cmocka_unit_test(annotations),
		cmocka_unit_test(a_table_of_options),
		cmocka_unit_test(bad_tables),
		cmocka_unit_test(nested_tables_name_the_way_out),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
