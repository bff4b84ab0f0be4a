/* SPDX-License-Identifier: Apache-2.0 */
/* Pure parts of the command line: containerd's configuration, CRI's choice, specs made for a check.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/base/str.h"
#include "runtime/cli/check.h"
#include "runtime/cli/cri_choice.h"
#include "runtime/cli/ctrd_config.h"

/* --- containerd's configuration ------------------------------------------------------------ */

static struct ctrd_config *read_config(const char *text)
{
	struct ctrd_config *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	ctrd_config_read(text, c);
	return c;
}

/* The notations of 1.x and 2.x, with the white space and quotes that each prints. */
static const char *const dumps[] = {
	"version = 2\n"
	"[plugins]\n"
	"  [plugins.\"io.containerd.grpc.v1.cri\"]\n"
	"    [plugins.\"io.containerd.grpc.v1.cri\".containerd]\n"
	"      default_runtime_name = \"runc\"\n"
	"      [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes]\n"
	"        [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]\n"
	"          runtime_type = \"io.containerd.runc.v2\"\n"
	"          pod_annotations = []\n"
	"          [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc.options]\n"
	"            SystemdCgroup = true\n"
	"        [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.crossarch]\n"
	"          runtime_type = \"io.containerd.crossarch.v2\" # ours\n"
	"          pod_annotations = [\"io.crossarch.*\"]\n",

	"version = 3\n"
	"[plugins.'io.containerd.cri.v1.runtime'.containerd]\n"
	"  default_runtime_name = 'runc'\n"
	"[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]\n"
	"runtime_type = 'io.containerd.runc.v2'\n"
	"[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]\n"
	"SystemdCgroup = true\n"
	"[ plugins . 'io.containerd.cri.v1.runtime' . containerd . runtimes . crossarch ]\n"
	"runtime_type = 'io.containerd.crossarch.v2'\n"
	"pod_annotations = ['a', 'io.crossarch.*']\n"
	"[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.crossarch.options]\n"
	"ConfigPath = '/etc/own.json'\n",
};

static void test_dumps(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(dumps); i++) {
		struct ctrd_config *c = read_config(dumps[i]);

		assert_int_equal(c->version, 2 + i);
		assert_int_equal(c->n, 2);
		assert_string_equal(c->default_runtime, "runc");
		assert_string_equal(ctrd_runtime_named(c, "runc")->type, "io.containerd.runc.v2");
		assert_true(ctrd_runtime_named(c, "runc")->systemd_cgroup);
		assert_false(ctrd_passes_annotations(ctrd_runtime_named(c, "runc")));
		assert_string_equal(ctrd_runtime_ours(c)->name, "crossarch");
		assert_true(ctrd_passes_annotations(ctrd_runtime_ours(c)));
		assert_string_equal(ctrd_runtime_ours(c)->config_path, i ? "/etc/own.json" : "");
		free(c);
	}
}

static void test_oddities(void **state)
{
	struct ctrd_config *c = read_config("# version = 9\n"
					    "disabled_plugins = [ \"cri\" ] # \"x\"\n"
					    "imports = []\n"
					    "[plugins.cri.containerd.runtimes.\"my.own\"]\n"
					    "runtime_type = \"io.containerd.crossarch.v2\"\n"
					    "[[hosts]]\n[\n[]\n=\n = 5\nx\n[a.'b\nruntime_type=");

	(void)state;
	assert_int_equal(c->version, 1);
	assert_true(c->cri_disabled);
	assert_false(c->has_imports);
	assert_int_equal(c->n, 1);
	assert_string_equal(ctrd_runtime_ours(c)->name, "my.own");
	free(c);
	c = read_config("");
	assert_null(ctrd_runtime_ours(c));
	free(c);
}

static void test_too_many(void **state)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1u << 20);
	struct err err = ERR_INIT;
	struct ctrd_config *c;

	(void)state;
	for (int i = 0; i < CTRD_RUNTIMES + 5; i++)
		assert_int_equal(
			buf_printf(&text, &err, "[plugins.cri.containerd.runtimes.r%d]\n", i), 0);
	c = read_config(buf_str(&text));
	assert_int_equal(c->n, CTRD_RUNTIMES);
	free(c);
}

/* --- CRI's choice -------------------------------------------------------------------------- */

/* Which of @platforms, separated by spaces, a node of @host takes: its number from 0, or -1. */
static int choice(const char *host, bool index, const char *platforms)
{
	struct image_member list[8];
	struct image_members m = { .index = index, .list = list };

	memset(list, 0, sizeof(list));
	while (*platforms) {
		size_t n = strcspn(platforms, " ");

		str_fmt(list[m.n++].platform, PLATFORM_MAX, "%.*s", (int)n, platforms);
		platforms += n + (platforms[n] == ' ');
	}
	return cri_choice(&m, arch_by_name(host, strlen(host)));
}

static void test_choice(void **state)
{
	(void)state;
	assert_int_equal(choice("amd64", true, "linux/arm64/v8 linux/amd64"), 1);
	assert_int_equal(choice("amd64", true, "linux/386 linux/amd64"), 1);
	assert_int_equal(choice("amd64", true, "linux/arm64 linux/386"), 1);
	assert_int_equal(choice("amd64", true, "linux/arm64 windows/amd64"), -1);
	assert_int_equal(choice("amd64", true, "linux/amd64 linux/amd64"), 0);
	assert_int_equal(choice("arm64", true, "linux/arm/v6 linux/arm/v7 linux/amd64"), 1);
	assert_int_equal(choice("arm64", true, "linux/arm/v7 linux/arm64/v8"), 1);
	assert_int_equal(choice("s390x", true, "linux/amd64 linux/s390x"), 1);
	assert_int_equal(choice("s390x", true, "linux/amd64"), -1);
	assert_int_equal(choice("amd64", true, ""), -1);
}

/* A reference to one manifest is taken whatever it is for. */
static void test_choice_single(void **state)
{
	(void)state;
	assert_int_equal(choice("amd64", false, "linux/s390x"), 0);
	assert_int_equal(choice("amd64", false, ""), -1);
}

/* --- specs --------------------------------------------------------------------------------- */

static void expect_spec(const char *config, const char *const *args, const char *want)
{
	struct err err = ERR_INIT;
	json *spec;

	assert_int_equal(check_spec_of_image(config, strlen(config), args, &spec, &err), 0);
	assert_string_equal(json_object_to_json_string_ext(json_member(spec, "process"),
							   JSON_C_TO_STRING_NOSLASHESCAPE),
			    want);
	json_object_put(spec);
}

static void test_spec_of_image(void **state)
{
	static const char *const none[] = { NULL }, *const args[] = { "x", NULL };
	static const char config[] = "{\"config\":{\"Entrypoint\":[\"/e\"],\"Cmd\":[\"c\"],"
				     "\"Env\":[\"PATH=/p\"],\"WorkingDir\":\"/w\"}}";

	(void)state;
	expect_spec(config, none, "{\"args\":[\"/e\",\"c\"],\"env\":[\"PATH=/p\"],\"cwd\":\"/w\"}");
	expect_spec(config, args, "{\"args\":[\"x\"],\"env\":[\"PATH=/p\"],\"cwd\":\"/w\"}");
	expect_spec("{}", none, "{\"args\":[],\"env\":[],\"cwd\":\"/\"}");
	expect_spec("{\"config\":{\"WorkingDir\":\"\"}}", none,
		    "{\"args\":[],\"env\":[],\"cwd\":\"/\"}");
}

static void test_spec_refused(void **state)
{
	static const char *const bad[] = { "", "{\"config\":5}", "{\"config\":{\"Cmd\":\"x\"}}",
					   "{\"config\":{\"Env\":{}}}", "[" };
	static const char *const none[] = { NULL };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = ERR_INIT;
		json *spec;

		assert_int_equal(check_spec_of_image(bad[i], strlen(bad[i]), none, &spec, &err),
				 -1);
		assert_int_equal(err.code, ERR_INVALID);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dumps),	      cmocka_unit_test(test_oddities),
		cmocka_unit_test(test_too_many),      cmocka_unit_test(test_choice),
		cmocka_unit_test(test_choice_single), cmocka_unit_test(test_spec_of_image),
		cmocka_unit_test(test_spec_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
