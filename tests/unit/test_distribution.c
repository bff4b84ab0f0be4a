/* SPDX-License-Identifier: Apache-2.0 */
/* Where a node's containerd has its configuration, and the lines that are edited there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/cli/config_compare.h"
#include "runtime/cli/config_imports.h"
#include "runtime/cli/config_journal.h"
#include "runtime/cli/config_made.h"
#include "runtime/cli/default_runtime.h"
#include "runtime/cli/distribution.h"
#include "runtime/cli/node_emulation.h"

/* --- the table ------------------------------------------------------------------------------- */

static void test_rows(void **state)
{
	size_t n;
	const struct distribution *rows = distributions(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const struct distribution *d = &rows[i];

		assert_true(d->name && d->title && d->socket && d->config);
		assert_true(d->restart || d->units[0]);
		assert_true(!d->part || strstr(d->config, d->part));
		assert_int_equal(d->source == CONFIG_BY_MERGE, d->drop_ins != NULL);
		assert_int_equal(d->source == CONFIG_BY_TEMPLATE, d->templates[1] != NULL);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(rows[k].name, d->name);
	}
	assert_null(rows[n - 1].sign);
	assert_null(rows[n - 1].part);
}

static void test_names(void **state)
{
	const char *socket;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(installation_socket("k0s", NULL, &socket, &err), 0);
	assert_string_equal(socket, "/run/k0s/containerd.sock");
	assert_int_equal(installation_socket("rke2", "/x.sock", &socket, &err), 0);
	assert_string_equal(socket, "/x.sock");
	assert_int_equal(installation_socket("docker", NULL, &socket, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.text, "k3s, rke2, k0s, microk8s, eks, containerd"));
}

/* --- imports --------------------------------------------------------------------------------- */

static void test_imports(void **state)
{
	static const struct {
		const char *file, *dir; /* NULL: none of them is a directory's */
		size_t n;
	} rows[] = {
		{ "", NULL, 0 },
		{ "version = 2\n[imports]\nimports = [\"/a/*.toml\"]\n", NULL, 0 },
		{ "imports = []\n", NULL, 0 },
		{ "imports = [\"/etc/a.toml\"]\n", NULL, 1 },
		{ "imports = [\"/etc/x.d/*.toml\"]\n", "/etc/x.d", 1 },
		{ "imports = ['conf.d/*.toml']\n", "/etc/containerd/conf.d", 1 },
		{ " imports=[\n# \"/no/*.toml\"\n 'a', \"/b/*.toml\",\n]\n", "/b", 2 },
		{ "imports = [\"/*/c/*.toml\", \"/d/*\", \"/e/*.toml\"]", "/e", 3 },
		{ "imports = [\"/open/*.toml", NULL, 0 },
		{ "importsx = [\"/a/*.toml\"]\n", NULL, 0 },
	};
	struct config_import list[CONFIG_IMPORTS], import;
	char dir[PATH_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool has = config_import_directory(rows[i].file, "/etc/containerd/config.toml", dir,
						   &import);

		assert_int_equal(config_imports(rows[i].file, list, CONFIG_IMPORTS), rows[i].n);
		assert_int_equal(has, rows[i].dir != NULL);
		if (has)
			assert_string_equal(dir, rows[i].dir);
	}
}

/* --- tables ---------------------------------------------------------------------------------- */

static void test_tables(void **state)
{
	static const struct {
		const char *line;
		enum config_table table;
		const char *name;
	} rows[] = {
		{ "version = 2", CONFIG_NO_TABLE, "" },
		{ "[debug]", CONFIG_OTHER, "" },
		{ "[plugins.cri.containerd]", CONFIG_PARENT, "" },
		{ " [ plugins . \"io.containerd.grpc.v1.cri\" . containerd ] # x", CONFIG_PARENT,
		  "" },
		{ "[plugins.'io.containerd.cri.v1.runtime'.containerd]", CONFIG_PARENT, "" },
		{ "[plugins.'io.containerd.cri.v1.images'.containerd]", CONFIG_OTHER, "" },
		{ "[plugins.cri.containerd.runtimes]", CONFIG_OTHER, "" },
		{ "[plugins.cri.containerd.runtimes.runc]", CONFIG_HANDLER, "runc" },
		{ "[plugins.cri.containerd.runtimes.runc.options]", CONFIG_HANDLER, "runc" },
		{ "[plugins.'io.containerd.cri.v1.images'.runtime_platforms.a]", CONFIG_HANDLER,
		  "a" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char name[HANDLER_NAME_MAX] = "";

		assert_int_equal(config_table_of(rows[i].line, strlen(rows[i].line), name),
				 rows[i].table);
		assert_string_equal(name, rows[i].name);
	}
}

/* --- the default runtime --------------------------------------------------------------------- */

#define TABLE_2 "[plugins.\"io.containerd.grpc.v1.cri\".containerd]\n"

/* In whatever file: it is read as the default, is found again, and goes without a trace. */
static void test_default(void **state)
{
	static const struct {
		const char *file;
		bool own_table;
	} rows[] = {
		{ "", true },
		{ "version = 2\n", true },
		{ "version = 2\n\n", true },
		{ "version = 2\n" TABLE_2 "  snapshotter = \"x\"\n", false },
		{ "version = 2\n" TABLE_2 "\tdefault_runtime_name =\"runc\" # why\n[debug]\n",
		  false },
		{ "version = 2\n" TABLE_2 "default_runtime_name = \"runc\"", false },
		{ "version = 2\n" TABLE_2 "[debug]\ndefault_runtime_name = \"none\"\n", false },
		{ "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.a]\n",
		  true },
	};
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP_FREE struct containerd_config *c = calloc(1, sizeof(*c));
		CLEANUP_BUF struct buf set = BUF_INIT(1u << 16);
		CLEANUP_BUF struct buf back = BUF_INIT(1u << 16);

		assert_false(default_runtime_is_set(rows[i].file));
		assert_int_equal(default_runtime_set(rows[i].file, 2, "crossarch", &set, &err), 0);
		containerd_config_read(buf_str(&set), c);
		assert_string_equal(c->default_runtime, "crossarch");
		assert_true(default_runtime_is_set(buf_str(&set)));
		assert_int_equal(default_runtime_has_table(buf_str(&set)), rows[i].own_table);
		assert_int_equal(default_runtime_unset(buf_str(&set), &back, &err), 0);
		assert_string_equal(buf_str(&back), rows[i].file);
	}
}

/* --- what a distribution makes --------------------------------------------------------------- */

#define RUNTIMES "plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes"
#define OURS                                                                             \
	"# crossarch: foreign architectures, or one line that says why not.\n[" RUNTIMES \
	".crossarch]\n  runtime_type = \"io.containerd.crossarch.v2\"\n"                 \
	"  pod_annotations = [\"io.crossarch.*\"]\n"

static void expect_made(enum config_place_kind kind, const char *made, const char *text,
			const char *want)
{
	const struct config_place p = { .kind = kind, .version = 3 };
	CLEANUP_BUF struct buf out = BUF_INIT(1u << 16);
	struct err err = ERR_INIT;

	assert_int_equal(config_made(&p, made, text, &out, &err), 0);
	assert_string_equal(buf_str(&out), want);
}

static void test_made(void **state)
{
	static const char base[] = "version = 3\n[" RUNTIMES ".runc]\nruntime_type = 'x'\n";
	static const char merged[] =
		"version = 3\n[" RUNTIMES ".crossarch]\nruntime_type = 'old'\n[" RUNTIMES
		".crossarch.options]\n[" RUNTIMES ".runc]\nruntime_type = 'x'\n";

	(void)state;
	expect_made(PLACE_TEMPLATE, base, "{{ template \"base\" . }}\n\n" OURS,
		    "version = 3\n[" RUNTIMES ".runc]\nruntime_type = 'x'\n" OURS);
	expect_made(PLACE_TEMPLATE, base, "{{ template \"base\" . }}\n", base);
	expect_made(PLACE_MERGED, merged, "version = 3\n\n" OURS,
		    "version = 3\n[" RUNTIMES ".runc]\nruntime_type = 'x'\n" OURS);
	expect_made(PLACE_MERGED, merged, "", base);
	expect_made(PLACE_MERGED, "", "version = 3\n\n" OURS, "version = 3\n" OURS);
}

/* --- what would be lost ---------------------------------------------------------------------- */

static int compare(const char *before, const char *after, bool new_default)
{
	CLEANUP_FREE struct containerd_config *a = calloc(1, sizeof(*a));
	CLEANUP_FREE struct containerd_config *b = calloc(1, sizeof(*b));
	const struct config_said was = { before, a }, is = { after, b };
	struct err err = ERR_INIT;

	containerd_config_read(before, a);
	containerd_config_read(after, b);
	return config_compare(&was, &is, new_default, &err);
}

static void test_compare(void **state)
{
	static const char runc[] = "[x]\ndefault_runtime_name = 'runc'\nkey = 1\n";
	static const char ours[] = "[x]\ndefault_runtime_name = 'crossarch'\nkey = 1\n";

	(void)state;
	assert_int_equal(compare(runc, runc, false), 0);
	assert_int_equal(compare(runc, ours, false), -1);
	assert_int_equal(compare(runc, ours, true), 0);
	assert_int_equal(compare(ours, runc, false), 0);
	assert_int_equal(compare(runc, "[x]\ndefault_runtime_name = 'runc'\n", true), -1);
}

/* --- the node's settings and the journal ------------------------------------------------------ */

static void write_text(const char *path, const char *text)
{
	struct err err = ERR_INIT;

	assert_int_equal(file_replace(AT_FDCWD, path, 0600, text, strlen(text), &err), 0);
}

static void expect_file(const char *path, const char *want)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1u << 16);
	struct err err = ERR_INIT;

	if (!want) {
		assert_int_equal(access(path, F_OK), -1);
		return;
	}
	assert_int_equal(file_read(AT_FDCWD, path, &text, &err), 0);
	assert_string_equal(buf_str(&text), want);
}

/* @old NULL: no file. Set, set again, and undone: the same bytes. */
static void expect_emulation(const char *dir, const char *path, const char *old)
{
	struct err err = ERR_INIT;
	char got[PATH_MAX];
	bool changed, left;

	if (old)
		write_text(path, old);
	assert_int_equal(node_emulation_never(dir, got, sizeof(got), &changed, &err), 0);
	assert_true(changed);
	assert_string_equal(got, path);
	assert_int_equal(node_emulation_never(dir, got, sizeof(got), &changed, &err), 0);
	assert_false(changed);
	assert_int_equal(node_emulation_undo(dir, got, sizeof(got), &changed, &left, &err), 0);
	assert_true(changed && !left);
	expect_file(path, old);
	assert_int_equal(node_emulation_undo(dir, got, sizeof(got), &changed, &left, &err), 0);
	assert_true(!changed && !left);
}

static void test_emulation(void **state)
{
	char dir[] = "/tmp/crossarch-emulation.XXXXXX", path[64], got[PATH_MAX];
	struct err err = ERR_INIT;
	bool changed, left;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)str_fmt(path, sizeof(path), "%s/config.json", dir);
	expect_emulation(dir, path, "{ \"engine\":\"crun\" }");
	expect_emulation(dir, path, "{\"emulation\":\"always\"}\n\n");
	assert_int_equal(unlink(path), 0);
	expect_emulation(dir, path, NULL);
	/* The directory had nothing else. A person's own file is not ours to remove. */
	assert_int_equal(mkdir(dir, 0700), 0);
	write_text(path, "{\n  \"emulation\": \"never\"\n}\n");
	assert_int_equal(node_emulation_never(dir, got, sizeof(got), &changed, &err), 0);
	assert_int_equal(node_emulation_undo(dir, got, sizeof(got), &changed, &left, &err), 0);
	assert_true(!changed && !left);
	write_text(path, "{}");
	assert_int_equal(node_emulation_never(dir, got, sizeof(got), &changed, &err), 0);
	write_text(path, "{\"emulation\":\"never\",\"engine\":\"crun\"}");
	assert_int_equal(node_emulation_undo(dir, got, sizeof(got), &changed, &left, &err), 0);
	assert_true(!changed && left);
	(void)str_fmt(got, sizeof(got), "rm -r %s", dir);
	assert_int_equal(system(got), 0);
}

static void test_journal(void **state)
{
	char dir[] = "/tmp/crossarch-journal.XXXXXX", old[64], new[64], backup[96], later[96];
	struct config_journal j = { .n = 0 };
	struct err err = ERR_INIT;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)str_fmt(old, sizeof(old), "%s/old", dir);
	(void)str_fmt(new, sizeof(new), "%s/new", dir);
	(void)str_fmt(backup, sizeof(backup), "%s.before-crossarch-1", old);
	(void)str_fmt(later, sizeof(later), "%s.before-crossarch-2", old);
	write_text(old, "as it was");
	write_text(backup, "before that");
	assert_int_equal(config_journal_add(&j, old, &err), 0);
	assert_int_equal(config_journal_add(&j, new, &err), 0);
	write_text(old, "changed");
	assert_int_equal(config_journal_add(&j, old, &err), 0);
	write_text(new, "made");
	write_text(later, "as it was");
	assert_int_equal(unlink(backup), 0);
	assert_int_equal(config_journal_undo(&j, &err), 0);
	expect_file(old, "as it was");
	expect_file(backup, "before that");
	expect_file(later, NULL);
	expect_file(new, NULL);
	config_journal_deinit(&j);
	assert_int_equal(unlink(old) + unlink(backup) + rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),	cmocka_unit_test(test_names),
		cmocka_unit_test(test_imports), cmocka_unit_test(test_tables),
		cmocka_unit_test(test_default), cmocka_unit_test(test_made),
		cmocka_unit_test(test_compare), cmocka_unit_test(test_emulation),
		cmocka_unit_test(test_journal),
	};

	return cmocka_run_group_tests_name("distribution", tests, NULL, NULL);
}
