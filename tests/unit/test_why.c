/* SPDX-License-Identifier: Apache-2.0 */
/* "crossarch why": which containers a word means, what a log says, and mounts that only look. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/str.h"
#include "runtime/cli/log_tail.h"
#include "runtime/cli/why_find.h"
#include "runtime/containerd/read_only_mount.h"

/* --- mounts ---------------------------------------------------------------------------------- */

static void assert_options(const struct prepare_mount *m, const char *wanted)
{
	char all[400] = "";

	for (size_t i = 0; m->options[i]; i++) {
		size_t n = strlen(all);

		(void)str_fmt(all + n, sizeof(all) - n, "%s%s", n ? "," : "", m->options[i]);
	}
	assert_string_equal(all, wanted);
}

static void test_mounts(void **state)
{
	static const struct {
		const char *type, *wanted;
		const char *options[8];
	} rows[] = {
		{ "overlay",
		  "index=off,lowerdir=/s/3/fs:/s/2/fs:/s/1/fs,ro",
		  { "index=off", "workdir=/s/3/work", "upperdir=/s/3/fs",
		    "lowerdir=/s/2/fs:/s/1/fs" } },
		{ "overlay", "lowerdir=/s/2/fs:/s/1/fs,ro", { "lowerdir=/s/2/fs:/s/1/fs" } },
		{ "bind", "rbind,ro", { "rw", "rbind" } },
		{ "ext4", "noload,ro", { "noload" } },
	};
	CLEANUP_ARENA struct arena arena = { .max = 0 };
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *options[8];
		struct prepare_mount m = { rows[i].type, "source", "", options };

		memcpy(options, rows[i].options, sizeof(options));
		assert_int_equal(mount_read_only(&m, &arena, &err), 0);
		assert_options(&m, rows[i].wanted);
	}
}

/* --- logs ------------------------------------------------------------------------------------ */

static bool complaint_in(const char *text, char *ret, size_t size)
{
	char path[] = "/tmp/test_why.XXXXXX";
	int fd = mkstemp(path);
	bool found;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	found = log_tail_complaint(path, ret, size);
	unlink(path);
	return found;
}

static void test_logs(void **state)
{
	static const char end[] = " exec format error\n";
	CLEANUP_FREE char *long_text = calloc(1, 100001);
	char line[400];

	(void)state;
	assert_true(complaint_in("2026-11-27T15:00:00.1Z stderr F exec /app: exec format error\n"
				 "2026-11-27T15:00:00.2Z stdout F bye\n",
				 line, sizeof(line)));
	assert_string_equal(line, "exec /app: exec format error");
	assert_true(complaint_in("sh: ./a: cannot execute binary file: Exec format error", line,
				 sizeof(line)));
	assert_true(complaint_in("\033[2J exec format error\n", line, sizeof(line)));
	assert_null(strchr(line, '\033'));
	assert_false(complaint_in("all well\n", line, sizeof(line)));
	assert_false(complaint_in("", line, sizeof(line)));
	assert_false(log_tail_complaint("/no/such/file", line, sizeof(line)));
	assert_false(log_tail_complaint("/tmp", line, sizeof(line)));
	/* Of a long one the end is read, and of a long line what fits. */
	assert_non_null(long_text);
	memset(long_text, 'x', 100000);
	memcpy(long_text + 100000 - strlen(end), end, strlen(end));
	assert_true(complaint_in(long_text, line, sizeof(line)));
	assert_true(strlen(line) < sizeof(line));
}

/* --- words ----------------------------------------------------------------------------------- */

static struct node_container container(const char *id, const char *space, const char *pod,
				       const char *pod_id, const char *name, const char *image)
{
	return (struct node_container){
		.entry = { .id = id, .image = image },
		.pod_namespace = space,
		.pod = pod,
		.pod_id = pod_id,
		.name = name,
		.asked_image = "",
		.sandbox = str_eq(id, pod_id),
	};
}

static void test_words(void **state)
{
	struct node_container list[] = {
		container("aa01", "one", "web", "aa01", "", "pause:1"),
		container("bb02", "one", "web", "aa01", "app", "docker.io/library/nginx:latest"),
		container("cc03", "two", "web", "cc03", "", "pause:1"),
		container("bb14", "two", "web", "cc03", "side", "busybox:1"),
		container("bb", "", "", "", "", "docker.io/library/nginx:latest"),
		container("dd01", "two", "other", "cc09", "x", "other:1"),
		container("ee01", "two", "other", "cc09", "dd", "other:1"),
	};
	static const struct {
		const char *word;
		enum why_kind kind;
		size_t n;
		bool ambiguous;
	} rows[] = {
		{ "one/web", WHY_POD, 2, false },
		{ "web", WHY_POD, 4, true },
		{ "aa", WHY_POD_ID, 2, false },
		{ "app", WHY_NAMED, 1, false },
		{ "bb14x", WHY_NOTHING, 0, false },
		{ "dd", WHY_NAMED, 1, false }, /* and not the id that begins like it */
		{ "two/web", WHY_POD, 2, false },
		{ "bb", WHY_CONTAINER, 1, false },
		{ "b", WHY_CONTAINER, 3, true },
		{ "bb1", WHY_CONTAINER, 1, false },
		{ "side", WHY_NAMED, 1, false },
		{ "nginx", WHY_IMAGE, 2, false },
		{ "docker.io/library/busybox:1", WHY_IMAGE, 1, false },
		{ "three/web", WHY_NOTHING, 0, false },
		{ "one/", WHY_NOTHING, 0, false },
		{ "", WHY_NOTHING, 0, false },
	};
	struct node_containers all = { .list = list, .n = ARRAY_SIZE(list) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err err = ERR_INIT;
		struct why_found found;

		assert_int_equal(why_find(&all, rows[i].word, &found, &err), 0);
		assert_int_equal(found.kind, rows[i].kind);
		assert_int_equal(found.n, rows[i].n);
		assert_int_equal(found.ambiguous, rows[i].ambiguous);
	}
	arena_deinit(&all.arena);
}

/* Of a container that was restarted the newest attempt is meant, and those of a pod are in order.
 */
static void test_attempts(void **state)
{
	struct node_container list[] = {
		container("a3", "one", "web", "p1", "app", "x:1"),
		container("a1", "one", "web", "p1", "app", "x:1"),
		container("a2", "one", "web", "p1", "app", "x:1"),
		container("i1", "one", "web", "p1", "init", "x:1"),
		container("n1", "", "", "", "app", "x:1"),
		container("n2", "", "", "", "app", "x:1"),
	};
	struct node_containers all = { .list = list, .n = ARRAY_SIZE(list) };
	struct err err = ERR_INIT;
	struct why_found found;

	(void)state;
	list[0].entry.created = 30;
	list[0].entry.created_ns = 2;
	list[1].entry.created = 20;
	list[2].entry.created = 30;
	list[2].entry.created_ns = 1;
	list[3].entry.created = 10;
	assert_int_equal(why_find(&all, "one/web", &found, &err), 0);
	assert_int_equal(found.n, 2);
	assert_string_equal(found.list[0].c->entry.id, "i1");
	assert_int_equal(found.list[0].attempts, 1);
	assert_string_equal(found.list[1].c->entry.id, "a3");
	assert_int_equal(found.list[1].attempts, 3);
	assert_int_equal(why_find(&all, "a1", &found, &err), 0); /* an older one by its id */
	assert_int_equal(found.n, 1);
	assert_string_equal(found.list[0].c->entry.id, "a1");
	assert_int_equal(why_find(&all, "x:1", &found, &err), 0);
	assert_int_equal(found.kind, WHY_IMAGE);
	assert_true(why_same_container(&list[0], &list[1]));
	assert_false(why_same_container(&list[0], &list[3]));
	assert_false(why_same_container(&list[4], &list[5])); /* nobody restarts those */
	arena_deinit(&all.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_logs),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_attempts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
