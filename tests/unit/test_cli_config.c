/* SPDX-License-Identifier: Apache-2.0 */
/* Pure parts of the command line: containerd's configuration, CRI's choice, specs made for a check.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/cli/containerd_config.h"
#include "runtime/cli/containerd_handler.h"
#include "runtime/cli/dry_run.h"
#include "runtime/cli/handler_settings.h"
#include "runtime/cli/handler_text.h"
#include "runtime/cli/image_check.h"
#include "runtime/containerd/image_layers.h"

/* --- containerd's configuration ------------------------------------------------------------ */

static struct containerd_config *read_config(const char *text)
{
	struct containerd_config *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	containerd_config_read(text, c);
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
		struct containerd_config *c = read_config(dumps[i]);

		assert_int_equal(c->version, 2 + i);
		assert_int_equal(c->n, 2);
		assert_string_equal(c->default_runtime, "runc");
		assert_string_equal(handler_named(c, "runc")->type, "io.containerd.runc.v2");
		assert_true(handler_named(c, "runc")->systemd_cgroup);
		assert_false(handler_passes_annotations(handler_named(c, "runc")));
		assert_string_equal(handler_ours(c)->name, "crossarch");
		assert_true(handler_passes_annotations(handler_ours(c)));
		assert_string_equal(handler_ours(c)->config_path, i ? "/etc/own.json" : "");
		free(c);
	}
}

static void test_oddities(void **state)
{
	struct containerd_config *c =
		read_config("# version = 9\n"
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
	assert_string_equal(handler_ours(c)->name, "my.own");
	free(c);
	c = read_config("");
	assert_null(handler_ours(c));
	free(c);
}

static void test_too_many(void **state)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1u << 20);
	struct err err = ERR_INIT;
	struct containerd_config *c;

	(void)state;
	for (int i = 0; i < CONTAINERD_RUNTIMES + 5; i++)
		assert_int_equal(
			buf_printf(&text, &err, "[plugins.cri.containerd.runtimes.r%d]\n", i), 0);
	c = read_config(buf_str(&text));
	assert_int_equal(c->n, CONTAINERD_RUNTIMES);
	free(c);
}

/* --- the form of the handler --------------------------------------------------------------- */

static const char node_of_systemd[] =
	"version = 3\n"
	"[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]\n"
	"runtime_type = 'io.containerd.runc.v2'\n"
	"[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]\n"
	"SystemdCgroup = true\n";

/* Which containerd asks whom: read in the sources of the releases up to 2.4.0-beta.0. */
static void test_form(void **state)
{
	static const struct {
		const char *version;
		bool by_path;
	} rows[] = {
		{ "1.6.20~ds1", false }, { "1.7.24", false },
		{ "2.0.0", true },	 { "2.1.9+unknown", true },
		{ "2.2.0", true },	 { "2.2.6", true },
		{ "2.2.7", false },	 { "2.3.0", true },
		{ "2.3.3-k3s1", true },	 { "2.3.4", false },
		{ "2.4.0", false },	 { "3.0.0", false },
		{ "", false },		 { "dev", false },
	};
	struct containerd_config *node = read_config(node_of_systemd);
	struct runtime_handler r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		handler_form(rows[i].version, "/bin/sh", node, &r);
		assert_string_equal(r.type, rows[i].by_path ? "io.containerd.runc.v2"
							    : "io.containerd.crossarch.v2");
		assert_string_equal(r.path, rows[i].by_path ? "/bin/sh" : "");
		assert_int_equal(r.systemd_cgroup, rows[i].by_path);
		assert_null(handler_lacks(&r, rows[i].version));
	}
	free(node);
}

static void test_form_lacks(void **state)
{
	struct runtime_handler type = { .type = CONTAINERD_TYPE, .config_path = "/x.json" };
	struct runtime_handler path = { .type = CONTAINERD_RUNC_TYPE, .path = "/bin/sh" };
	struct runtime_handler both = { .type = CONTAINERD_TYPE, .path = "/bin/sh" };

	(void)state;
	assert_null(handler_lacks(&type, "1.7.24"));
	assert_null(handler_lacks(&type, "2.4.0"));
	assert_non_null(strstr(handler_lacks(&type, "2.1.9"), "hostUsers: false"));
	assert_non_null(strstr(handler_lacks(&both, "2.1.9"), "hostUsers: false"));
	assert_non_null(strstr(handler_lacks(&path, "1.6.20"), "ignores runtime_path"));
	assert_null(handler_lacks(&path, "1.7.24"));
	assert_null(handler_lacks(&path, "2.4.0"));
	(void)str_copy(path.config_path, sizeof(path.config_path), "/x.json");
	assert_non_null(strstr(handler_lacks(&path, "2.1.9"), "ConfigPath"));
	assert_string_equal(handler_settings_path(&path), "");
	(void)str_copy(path.binary, sizeof(path.binary), "/usr/bin/runc");
	assert_string_equal(handler_settings_path(&path), "");
	(void)str_copy(path.binary, sizeof(path.binary), "/etc/crossarch/arm64.json");
	assert_string_equal(handler_settings_path(&path), "/etc/crossarch/arm64.json");
	assert_null(handler_lacks(&path, "2.1.9"));
	assert_string_equal(handler_settings_path(&type), "/x.json");
	(void)str_copy(path.path, sizeof(path.path), "/nowhere/" CONTAINERD_SHIM);
	assert_non_null(strstr(handler_lacks(&path, "2.1.9"), "no program"));
}

static bool is_ours(const char *type, const char *path)
{
	struct runtime_handler r = { .name = "x" };

	return str_copy(r.type, sizeof(r.type), type) && str_copy(r.path, sizeof(r.path), path) &&
	       handler_is_ours(&r);
}

static void test_ours(void **state)
{
	(void)state;
	assert_true(is_ours("io.containerd.crossarch.v2", ""));
	assert_true(is_ours("io.containerd.runc.v2", "/opt/bin/" CONTAINERD_SHIM));
	assert_true(is_ours("/opt/bin/" CONTAINERD_SHIM, ""));
	assert_false(is_ours("io.containerd.runc.v2", ""));
	assert_false(is_ours("io.containerd.crossarch.v2", "/usr/bin/containerd-shim-runc-v2"));
	assert_false(is_ours("io.containerd.runc.v2", CONTAINERD_SHIM));
	assert_false(is_ours("", "/opt/my-" CONTAINERD_SHIM));
}

/* What is written is found again in whatever stands around it; a person's own is not taken for it.
 */
static void test_found_again(void **state)
{
	static const char *const versions[] = { "1.6.20", "2.1.9", "2.4.0" };
	struct containerd_config *node = read_config(node_of_systemd);
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		CLEANUP_BUF struct buf file = BUF_INIT(1u << 16);
		CLEANUP_BUF struct buf found = BUF_INIT(1u << 16);
		CLEANUP_BUF struct buf none = BUF_INIT(1u << 16);
		struct runtime_handler r;
		struct containerd_config *c;
		const char *at;

		handler_form(versions[i], "/bin/sh", node, &r);
		assert_int_equal(buf_printf(&file, &err, "version = 3\nroot = 'x'\n\n"), 0);
		assert_int_equal(handler_text_own(handlers_table(3), &r, &file, &err), 0);
		assert_int_equal(buf_printf(&file, &err, "[debug]\n"), 0);
		c = read_config(buf_str(&file));
		at = handler_text_find(buf_str(&file), c, r.name, &found);
		assert_non_null(at);
		assert_string_equal(at + found.len, "[debug]\n");
		*strchr(at, ':') = ';';
		assert_null(handler_text_find(buf_str(&file), c, r.name, &none));
		free(c);
	}
	free(node);
}

/* --- handlers for one platform ------------------------------------------------------------- */

static void test_names(void **state)
{
	static const char *const others[] = {
		"crossarch",	     "crossarch-",	 "crossarch-crun", "crossarch-x32",
		"crossarch-aarch64", "crossarch-arm64x", "arm64"
	};
	char name[HANDLER_NAME_MAX];

	(void)state;
	handler_name(NULL, name);
	assert_string_equal(name, "crossarch");
	handler_name(arch_by_name("arm64", 5), name);
	assert_string_equal(name, "crossarch-arm64");
	assert_ptr_equal(handler_arch(name), arch_by_name("arm64", 5));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_null(handler_arch(others[i]));
}

static void form_of(const char *version, struct runtime_handler *ret)
{
	struct containerd_config *node = read_config(node_of_systemd);

	handler_form_platform(version, "/bin/sh", node, arch_by_name("arm64", 5), "/x/arm64.json",
			      ret);
	free(node);
}

/* What is written is read again, and its shim gets the settings by the way that is open there. */
static void test_form_platform(void **state)
{
	static const char *const versions[] = { "1.6.20", "1.7.24", "2.1.9", "2.4.0" };
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		CLEANUP_BUF struct buf file = BUF_INIT(1u << 16);
		CLEANUP_BUF struct buf found = BUF_INIT(1u << 16);
		const struct runtime_handler *read;
		struct runtime_handler r;
		struct containerd_config *c;

		form_of(versions[i], &r);
		assert_string_equal(r.name, "crossarch-arm64");
		assert_string_equal(r.type, i < 2 ? CONTAINERD_TYPE : CONTAINERD_RUNC_TYPE);
		assert_string_equal(handler_settings_path(&r), "/x/arm64.json");
		assert_string_equal(r.platform, i < 2 ? "" : "linux/arm64");
		assert_null(handler_lacks(&r, versions[i]));
		assert_int_equal(buf_printf(&file, &err, "version = 3\n"), 0);
		assert_int_equal(handler_text_own(handlers_table(3), &r, &file, &err), 0);
		c = read_config(buf_str(&file));
		assert_int_equal(c->n, 1);
		read = handler_named(c, "crossarch-arm64");
		assert_string_equal(handler_settings_path(read), "/x/arm64.json");
		assert_string_equal(read->platform, r.platform);
		assert_int_equal(read->systemd_cgroup, i >= 2);
		assert_ptr_equal(handler_text_find(buf_str(&file), c, r.name, &found),
				 buf_str(&file) + strlen("version = 3\n"));
		assert_null(handler_ours(c)); /* not for all */
		free(c);
	}
}

static void test_settings(void **state)
{
	char dir[] = "/tmp/crossarch-settings.XXXXXX", path[64], node[64], differing[200];
	const struct arch *a = arch_by_name("arm64", 5);
	struct err err = ERR_INIT;
	bool made, left;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(handler_settings_path_of(dir, a, path, sizeof(path), &err), 0);
	assert_int_equal(handler_settings_path_of("etc", a, node, sizeof(node), &err), -1);
	(void)str_fmt(node, sizeof(node), "%s/config.json", dir);
	assert_int_equal(file_replace(AT_FDCWD, node, 0644, "{\"engine\":\"crun\"}", 17, &err), 0);
	assert_int_equal(handler_settings_write(path, a, &made, &err), 0);
	assert_true(made);
	assert_int_equal(handler_settings_write(path, a, &made, &err), 0);
	assert_false(made);
	assert_int_equal(handler_settings_write(path, arch_by_name("s390x", 5), &made, &err), -1);
	assert_int_equal(err.code, ERR_PRECONDITION);
	handler_settings_differ(path, differing, sizeof(differing));
	assert_string_equal(differing, "");
	assert_int_equal(file_replace(AT_FDCWD, node, 0644,
				      "{\"engine\":\"runc\",\"emulation\":\"never\"}", 37, &err),
			 0);
	handler_settings_differ(path, differing, sizeof(differing));
	assert_string_equal(differing, "engine, emulation");
	assert_int_equal(handler_settings_remove(path, a, &left, &err), 0);
	assert_true(left);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(handler_settings_write(path, a, &made, &err), 0);
	assert_int_equal(handler_settings_remove(path, a, &left, &err), 0);
	assert_false(left);
	assert_int_equal(handler_settings_remove(path, a, &left, &err), 0); /* gone already */
	assert_false(left);
	assert_int_equal(file_replace(AT_FDCWD, node, 0644, "[]", 2, &err), 0);
	assert_int_equal(handler_settings_write(path, a, &made, &err), -1);
	assert_int_equal(unlink(node), 0);
	assert_int_equal(handler_settings_write(path, a, &made, &err), 0);
	assert_int_equal(handler_settings_remove(path, a, &left, &err), 0);
	assert_int_equal(access(dir, F_OK), -1);
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

	assert_int_equal(spec_of_image(config, strlen(config), args, &spec, &err), 0);
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

		assert_int_equal(spec_of_image(bad[i], strlen(bad[i]), none, &spec, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
	}
}

/* --- layers -------------------------------------------------------------------------------- */

#define DIGEST_A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define LAYER(digest) "{\"mediaType\":\"tar\",\"digest\":\"" digest "\",\"size\":7}"
#define LAYERS(list) "{\"layers\":[" list "]}"
#define DIFF_IDS(list) "{\"rootfs\":{\"diff_ids\":[" list "]}}"

static int parse_layers(const char *manifest, const char *config, struct image_layers *ret)
{
	struct err err = ERR_INIT;
	int rc = image_layers_parse(manifest, strlen(manifest), config, strlen(config), ret, &err);

	assert_true(rc == 0 || err.code == ERR_INVALID);
	return rc;
}

static void test_layers(void **state)
{
	CLEANUP_LAYERS struct image_layers l = { NULL, 0 };

	(void)state;
	assert_int_equal(parse_layers(LAYERS(LAYER(DIGEST_A) "," LAYER(DIGEST_B)),
				      DIFF_IDS("\"" DIGEST_B "\",\"" DIGEST_A "\""), &l),
			 0);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.list[0].digest, DIGEST_A);
	assert_string_equal(l.list[0].diff_id, DIGEST_B);
	assert_string_equal(l.list[1].media_type, "tar");
	assert_int_equal(l.list[1].size, 7);
}

static void test_layers_refused(void **state)
{
	static const char *const bad[][2] = {
		{ "{}", DIFF_IDS("") },
		{ LAYERS(""), "{}" },
		{ LAYERS(""), "{\"rootfs\":{}}" },
		{ LAYERS(LAYER(DIGEST_A)), DIFF_IDS("") },
		{ LAYERS(LAYER("none")), DIFF_IDS("\"" DIGEST_A "\"") },
		{ LAYERS(LAYER(DIGEST_A)), DIFF_IDS("\"../x\"") },
		{ LAYERS(LAYER(DIGEST_A)), DIFF_IDS("7") },
		{ LAYERS("\"x\""), DIFF_IDS("\"" DIGEST_A "\"") },
		{ LAYERS("{\"digest\":\"" DIGEST_A "\"}"), DIFF_IDS("\"" DIGEST_A "\"") },
		{ "[", DIFF_IDS("") },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct image_layers l = { NULL, 0 };

		assert_int_equal(parse_layers(bad[i][0], bad[i][1], &l), -1);
		assert_null(l.list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dumps),	       cmocka_unit_test(test_oddities),
		cmocka_unit_test(test_too_many),       cmocka_unit_test(test_form),
		cmocka_unit_test(test_form_lacks),     cmocka_unit_test(test_ours),
		cmocka_unit_test(test_found_again),    cmocka_unit_test(test_choice),
		cmocka_unit_test(test_choice_single),  cmocka_unit_test(test_spec_of_image),
		cmocka_unit_test(test_spec_refused),   cmocka_unit_test(test_layers),
		cmocka_unit_test(test_layers_refused), cmocka_unit_test(test_names),
		cmocka_unit_test(test_form_platform),  cmocka_unit_test(test_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
