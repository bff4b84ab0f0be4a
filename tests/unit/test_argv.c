/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/engine/argv.h"
#include "shim/engine/criu.h"

/* The command lines as runc and crun take them, written by hand (shim/README.md, Engine). */

static const struct engine runc = { "/usr/bin/runc", "/run/containerd/runc/k8s.io", false };
static const struct engine crun_systemd = { "/usr/bin/crun", "/r", true };

static void expect(const struct engine *e, const struct engine_request *r, const char *want)
{
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	char got[1024] = "";
	struct argv argv;
	struct err err;

	assert_int_equal(engine_argv(e, r, &arena, &argv, &err), 0);
	for (size_t i = 0; i < argv.n; i++) {
		strcat(got, i ? " " : "");
		strcat(got, argv.v[i]);
	}
	assert_string_equal(got, want);
	assert_null(argv.v[argv.n]);
}

static void test_create(void **state)
{
	struct engine_request r = { .verb = ENGINE_CREATE,
				    .id = "c1",
				    .log = "/b/l",
				    .bundle = "/b",
				    .pid_file = "/b/init.pid" };

	(void)state;
	expect(&runc, &r,
	       "/usr/bin/runc --root /run/containerd/runc/k8s.io --log /b/l --log-format json "
	       "create --bundle /b --pid-file /b/init.pid c1");
	r.console = "/tmp/x/pty.sock";
	r.no_pivot = r.no_new_keyring = true;
	expect(&crun_systemd, &r,
	       "/usr/bin/crun --root /r --log /b/l --log-format json --systemd-cgroup create "
	       "--bundle /b --pid-file /b/init.pid --console-socket /tmp/x/pty.sock --no-pivot "
	       "--no-new-keyring c1");
}

static void test_short_verbs(void **state)
{
	static const struct {
		enum engine_verb verb;
		const char *tail;
	} rows[] = {
		{ ENGINE_START, "start c1" },	 { ENGINE_DELETE, "delete --force c1" },
		{ ENGINE_PAUSE, "pause c1" },	 { ENGINE_RESUME, "resume c1" },
		{ ENGINE_KILL, "kill c1 9" },	 { ENGINE_KILL_ALL, "kill --all c1 9" },
		{ ENGINE_FEATURES, "features" }, { ENGINE_UPDATE, "update --resources - c1" },
	};
	char want[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct engine_request r = { .verb = rows[i].verb, .id = "c1", .signal = 9 };

		strcpy(want, "/usr/bin/runc --root /run/containerd/runc/k8s.io ");
		strcat(want, rows[i].tail);
		expect(&runc, &r, want);
	}
}

static void test_exec(void **state)
{
	struct engine_request r = { .verb = ENGINE_EXEC,
				    .id = "c1",
				    .process = "/b/e.json",
				    .pid_file = "/b/e.pid",
				    .console = "/s" };

	(void)state;
	expect(&runc, &r,
	       "/usr/bin/runc --root /run/containerd/runc/k8s.io exec --process /b/e.json "
	       "--console-socket /s --detach --pid-file /b/e.pid c1");
}

static void test_checkpoint_restore(void **state)
{
	char *const empty[] = { (char *)(uintptr_t) "network" };
	struct engine_request r = { .verb = ENGINE_CHECKPOINT,
				    .id = "c1",
				    .image_path = "/i",
				    .work_path = "/w",
				    .parent_path = "../before",
				    .leave_running = true,
				    .open_tcp = true,
				    .empty_namespaces = empty,
				    .n_empty_namespaces = 1 };

	(void)state;
	expect(&runc, &r,
	       "/usr/bin/runc --root /run/containerd/runc/k8s.io checkpoint --image-path /i "
	       "--work-path /w --tcp-established --empty-ns network --parent-path ../before "
	       "--leave-running c1");
	r = (struct engine_request){ .verb = ENGINE_RESTORE,
				     .id = "c1",
				     .bundle = "/b",
				     .pid_file = "/p",
				     .image_path = "/i",
				     .work_path = "/w",
				     .no_pivot = true,
				     .no_new_keyring = true }; /* no engine's restore knows that */
	expect(&runc, &r,
	       "/usr/bin/runc --root /run/containerd/runc/k8s.io restore --bundle /b --pid-file /p "
	       "--no-pivot --image-path /i --work-path /w --detach c1");
}

/* In the directories of PATH, and nowhere else. */
static void test_criu(void **state)
{
	char dir[] = "/tmp/criu.XXXXXX", file[64], path[256];
	struct err err = ERR_INIT;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/criu", dir);
	snprintf(path, sizeof(path), "/nowhere::relative:%s", dir);
	assert_int_equal(criu_find(path, &err), -1);
	assert_int_equal(err.code, ERR_UNSUPPORTED);
	assert_int_equal(criu_find(NULL, &err), -1);
	fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(criu_find(path, &err), -1);
	assert_int_equal(fchmod(fd, 0755), 0);
	assert_int_equal(criu_find(path, &err), 0);
	assert_int_equal(criu_find(dir, &err), 0);
	close(fd);
	unlink(file);
	assert_int_equal(mkdir(file, 0755), 0);
	assert_int_equal(criu_find(path, &err), -1);
	rmdir(file);
	rmdir(dir);
}

static void test_too_many_words(void **state)
{
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	char *names[40];
	struct engine_request r = { .verb = ENGINE_CHECKPOINT,
				    .id = "c1",
				    .empty_namespaces = names,
				    .n_empty_namespaces = 40 };
	struct argv argv;
	struct err err;

	(void)state;
	for (size_t i = 0; i < 40; i++)
		names[i] = (char *)(uintptr_t) "x";
	assert_int_equal(engine_argv(&runc, &r, &arena, &argv, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),	       cmocka_unit_test(test_short_verbs),
		cmocka_unit_test(test_exec),	       cmocka_unit_test(test_checkpoint_restore),
		cmocka_unit_test(test_too_many_words), cmocka_unit_test(test_criu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
