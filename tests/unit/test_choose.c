/* SPDX-License-Identifier: Apache-2.0 */
/* What CRI derived from one variant of an image, derived from another; and whose turn it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/str.h"
#include "runtime/choose/process_variant.h"
#include "runtime/choose/pull_turn.h"

#define D(n) "sha256:00000000000000000000000000000000000000000000000000000000000000" #n

/* --- the process ------------------------------------------------------------------------------ */

struct row {
	const char *what;
	const char *config;	    /* members of CRI's Config */
	const char *own, *wanted;   /* "config" of either image */
	const char *before, *after; /* process; after NULL: as before */
};

#define P(args, env, cwd) "{\"args\":[" args "],\"env\":[" env "],\"cwd\":\"" cwd "\"}"
#define PATH "\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\""

static const struct row rows[] = {
	{ "nothing differs", "", "\"Cmd\":[\"a\"]", "\"Cmd\":[\"a\"]", P("\"a\"", PATH, "/"),
	  NULL },
	{ "Cmd", "", "\"Cmd\":[\"a\"]", "\"Cmd\":[\"b\",\"c\"]", P("\"a\"", "", "/"),
	  P("\"b\",\"c\"", "", "/") },
	{ "Entrypoint, and the pod's args", "\"args\":[\"x\"]",
	  "\"Entrypoint\":[\"a\"],\"Cmd\":[\"1\"]", "\"Entrypoint\":[\"b\"],\"Cmd\":[\"2\"]",
	  P("\"a\",\"x\"", "", "/"), P("\"b\",\"x\"", "", "/") },
	{ "the pod's command takes neither", "\"command\":[\"c\"]",
	  "\"Entrypoint\":[\"a\"],\"Cmd\":[\"1\"]", "\"Entrypoint\":[\"b\"],\"Cmd\":[\"2\"]",
	  P("\"c\"", "", "/"), NULL },
	{ "somebody else's arguments stay", "", "\"Cmd\":[\"a\"]", "\"Cmd\":[\"b\"]",
	  P("\"wrapper\",\"a\"", "", "/"), NULL },
	{ "a variable of another value", "", "\"Env\":[\"A=1\",\"B=1\"]",
	  "\"Env\":[\"A=2\",\"B=1\"]", P("\"a\"", "\"A=1\",\"HOSTNAME=h\",\"B=1\"", "/"),
	  P("\"a\"", "\"A=2\",\"HOSTNAME=h\",\"B=1\"", "/") },
	{ "a variable more, and one less", "", "\"Env\":[\"A=1\"]", "\"Env\":[\"B=2\"]",
	  P("\"a\"", "\"A=1\",\"X=1\"", "/"), P("\"a\"", "\"B=2\",\"X=1\"", "/") },
	{ "the pod's variable wins", "\"envs\":[{\"key\":\"A\",\"value\":\"1\"}]",
	  "\"Env\":[\"A=1\"]", "\"Env\":[\"A=2\"]", P("\"a\"", "\"A=1\"", "/"), NULL },
	{ "both of them, as CRI leaves them", "\"envs\":[{\"key\":\"A\",\"value\":\"pod\"}]",
	  "\"Env\":[\"A=1\"]", "\"Env\":[\"A=2\"]", P("\"a\"", "\"A=1\",\"A=pod\"", "/"),
	  P("\"a\"", "\"A=2\",\"A=pod\"", "/") },
	{ "a value that is not the image's stays", "", "\"Env\":[\"A=1\"]", "\"Env\":[\"A=2\"]",
	  P("\"a\"", "\"A=device\"", "/"), NULL },
	{ "PATH where only one of them has it", "", "", "\"Env\":[\"PATH=/x\"]",
	  P("\"a\"", PATH, "/"), P("\"a\"", "\"PATH=/x\"", "/") },
	{ "and the other way", "", "\"Env\":[\"PATH=/x\"]", "", P("\"a\"", "\"PATH=/x\"", "/"),
	  P("\"a\"", PATH, "/") },
	{ "WorkingDir", "", "\"WorkingDir\":\"/a\"", "", P("\"a\"", "", "/a"),
	  P("\"a\"", "", "/") },
	{ "the pod's working directory", "\"working_dir\":\"/a\"", "\"WorkingDir\":\"/a\"",
	  "\"WorkingDir\":\"/b\"", P("\"a\"", "", "/a"), NULL },
};

static void parse_container(const char *config, struct arena *arena, struct cri_container *ret)
{
	char text[2048];
	struct err err = ERR_INIT;

	(void)str_fmt(text, sizeof(text),
		      "{\"Version\":\"v1\",\"Metadata\":{\"ImageRef\":\"" D(
			      a1) "\",\"SandboxID\":"
				  "\"s\",\"Config\":{\"image\":{\"image\":\"i\"}%s%s}}}",
		      *config ? "," : "", config);
	if (cri_container_parse(text, arena, ret, &err) < 0)
		fail_msg("%s", err.text);
}

static void parse_image(const char *config, struct arena *arena, struct image_process *ret)
{
	char text[2048];
	struct err err = ERR_INIT;

	(void)str_fmt(text, sizeof(text), "{\"config\":{%s}}", config);
	if (image_process_parse(text, strlen(text), arena, ret, &err) < 0)
		fail_msg("%s: %s", config, err.text);
}

static void test_process(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP_ARENA struct arena arena = { .max = 0 };
		CLEANUP_CRI_CONTAINER struct cri_container c;
		CLEANUP_IMAGE_PROCESS struct image_process own, wanted;
		const struct process_variant v = { &c, &own, &wanted };
		const char *after = rows[i].after ? rows[i].after : rows[i].before;
		CLEANUP_BUF struct buf out = BUF_INIT(4096);
		CLEANUP_JSON json *spec = NULL;
		struct err err = ERR_INIT;
		char text[2048];
		bool changed;

		parse_container(rows[i].config, &arena, &c);
		parse_image(rows[i].own, &arena, &own);
		parse_image(rows[i].wanted, &arena, &wanted);
		(void)str_fmt(text, sizeof(text), "{\"process\":%s}", rows[i].before);
		assert_int_equal(json_parse(text, strlen(text), "spec", &spec, &err), 0);
		/* A row that is about variables only names no program in either image. */
		if (process_variant_apply(&v, spec, &changed, &err) < 0)
			fail_msg("%s: %s", rows[i].what, err.text);
		assert_int_equal(changed, rows[i].after != NULL);
		assert_int_equal(json_print(json_member(spec, "process"), &out, &err), 0);
		if (!str_eq(buf_str(&out), after))
			fail_msg("%s: %s", rows[i].what, buf_str(&out));
	}
}

static void test_nothing_to_run(void **state)
{
	CLEANUP_ARENA struct arena arena = { .max = 0 };
	CLEANUP_CRI_CONTAINER struct cri_container c;
	CLEANUP_IMAGE_PROCESS struct image_process own, wanted;
	const struct process_variant v = { &c, &own, &wanted };
	CLEANUP_JSON json *spec = NULL;
	const char *text = "{\"process\":{\"args\":[\"a\"]}}";
	struct err err = ERR_INIT;
	bool changed;

	(void)state;
	parse_container("", &arena, &c);
	parse_image("\"Cmd\":[\"a\"]", &arena, &own);
	parse_image("", &arena, &wanted);
	assert_int_equal(json_parse(text, strlen(text), "spec", &spec, &err), 0);
	assert_int_equal(process_variant_apply(&v, spec, &changed, &err), -1);
	assert_int_equal(err.code, ERR_PRECONDITION);
}

#define CONTEXT(what) "\"linux\":{\"security_context\":{" what "}}"

static void test_user(void **state)
{
	static const struct {
		const char *config, *own, *wanted, *user;
	} users[] = {
		/* crictl says nothing */
		{ "", "", "", "0" },
		{ "", "app", "app", "app" },
		{ "", "1000:1", "2000:2", "2000:2" },
		/* the kubelet says what the node's variant has; Go leaves a 0 out */
		{ CONTEXT("\"run_as_user\":{}"), "", "", "0" },
		{ CONTEXT("\"run_as_user\":{}"), "", "app", "app" },
		{ CONTEXT("\"run_as_user\":{\"value\":1000}"), "1000:5", "2000:6", "2000" },
		{ CONTEXT("\"run_as_username\":\"app\""), "app", "other:x", "other" },
		/* or what the pod has */
		{ CONTEXT("\"run_as_user\":{\"value\":7}"), "1000", "2000", "7" },
		{ CONTEXT("\"run_as_user\":{\"value\":7},\"run_as_group\":{\"value\":8}"), "", "a",
		  "7:8" },
		{ CONTEXT("\"run_as_user\":{},\"run_as_group\":{}"), "", "app", "app:0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		CLEANUP_ARENA struct arena arena = { .max = 0 };
		CLEANUP_CRI_CONTAINER struct cri_container c;
		CLEANUP_IMAGE_PROCESS struct image_process own, wanted;
		const struct process_variant v = { &c, &own, &wanted };
		char user[PROCESS_USER_MAX], text[256];

		parse_container(users[i].config, &arena, &c);
		(void)str_fmt(text, sizeof(text), "\"User\":\"%s\"", users[i].own);
		parse_image(text, &arena, &own);
		(void)str_fmt(text, sizeof(text), "\"User\":\"%s\"", users[i].wanted);
		parse_image(text, &arena, &wanted);
		process_variant_user(&v, user);
		assert_string_equal(user, users[i].user);
	}
}

static void test_notes(void **state)
{
	CLEANUP_ARENA struct arena arena = { .max = 0 };
	CLEANUP_CRI_CONTAINER struct cri_container c;
	CLEANUP_IMAGE_PROCESS struct image_process own, wanted;
	const struct process_variant same = { &c, &own, &own };
	const struct process_variant v = { &c, &own, &wanted };
	CLEANUP_BUF struct buf none = BUF_INIT(1024);
	CLEANUP_BUF struct buf notes = BUF_INIT(1024);
	struct err err = ERR_INIT;

	(void)state;
	parse_container("", &arena, &c);
	parse_image("\"StopSignal\":\"SIGINT\"", &arena, &own);
	parse_image("\"StopSignal\":\"SIGQUIT\"", &arena, &wanted);
	assert_int_equal(process_variant_notes(&same, &none, &err), 0);
	assert_string_equal(buf_str(&none), "");
	assert_int_equal(process_variant_notes(&v, &notes, &err), 0);
	assert_non_null(strstr(buf_str(&notes), "\"SIGQUIT\""));
}

/* --- turns
 * ----------------------------------------------------------------------------------------- */

static char dir[] = "/tmp/crossarch-turns.XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[80];

	(void)state;
	(void)str_fmt(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static bool ask(struct pull_turn *turn, const char *digest, unsigned int at_once)
{
	struct err err = ERR_INIT;
	bool ours;

	if (pull_turn_ask(turn, digest, at_once, &ours, &err) < 0)
		fail_msg("%s", err.text);
	return ours;
}

static void test_turns(void **state)
{
	struct pull_turn a = PULL_TURN_INIT(dir), b = PULL_TURN_INIT(dir), c = PULL_TURN_INIT(dir);
	char path[sizeof(a.path)];

	(void)state;
	assert_true(ask(&a, D(f1), 1));
	(void)str_copy(path, sizeof(path), a.path);
	assert_false(ask(&b, D(f1), 64)); /* the same image */
	assert_false(ask(&c, D(f2), 1));  /* another one, and no slot */
	pull_turn_end(&b);
	assert_int_equal(access(path, F_OK), 0); /* it was not b's to end */
	pull_turn_end(&a);
	assert_int_equal(access(path, F_OK), -1);
	assert_true(ask(&c, D(f2), 1)); /* it kept the image, and now has the slot */
	assert_true(ask(&b, D(f1), 2));
	pull_turn_end(&b);
	pull_turn_end(&c);
}

/* A turn ends with its process. */
static void test_turn_of_the_dead(void **state)
{
	struct pull_turn turn = PULL_TURN_INIT(dir);
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid)
		_exit(!ask(&turn, D(f3), 64));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(ask(&turn, D(f3), 64));
	pull_turn_end(&turn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_process), cmocka_unit_test(test_nothing_to_run),
		cmocka_unit_test(test_user),	cmocka_unit_test(test_notes),
		cmocka_unit_test(test_turns),	cmocka_unit_test(test_turn_of_the_dead),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
