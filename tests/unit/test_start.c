/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/options.pb-c.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "shim/args.h"
#include "shim/bootstrap.h"
#include "shim/socket.h"
#include "shim/task/options.h"

/* What `start` is given: command line, standard input in both encodings, and the socket it makes.
 */

static void test_args_of_containerd(void **state)
{
	char *argv[] = { (char *)"shim",
			 (char *)"-namespace",
			 (char *)"k8s.io",
			 (char *)"-address",
			 (char *)"/run/c.sock",
			 (char *)"-publish-binary",
			 (char *)"/bin/containerd",
			 (char *)"-id",
			 (char *)"abc",
			 (char *)"-debug",
			 (char *)"start",
			 NULL };
	struct args a;
	struct err err;

	(void)state;
	assert_int_equal(args_parse(11, argv, &a, &err), 0);
	assert_string_equal(a.namespace, "k8s.io");
	assert_string_equal(a.id, "abc");
	assert_string_equal(a.action, "start");
	assert_true(a.debug);
}

static void test_args_forms(void **state)
{
	char *equals[] = { (char *)"shim", (char *)"--id=x", (char *)"-debug=false", NULL };
	char *unknown[] = { (char *)"shim", (char *)"-nope", NULL };
	char *missing[] = { (char *)"shim", (char *)"-id", NULL };
	char *extra[] = { (char *)"shim", (char *)"start", (char *)"now", NULL };
	struct args a;
	struct err err;

	(void)state;
	assert_int_equal(args_parse(3, equals, &a, &err), 0);
	assert_string_equal(a.id, "x");
	assert_false(a.debug);
	assert_int_equal(args_parse(2, unknown, &a, &err), -1);
	assert_string_equal(err.text, "unknown flag \"-nope\"");
	assert_int_equal(args_parse(2, missing, &a, &err), -1);
	assert_int_equal(args_parse(3, extra, &a, &err), -1);
}

static const struct args no_args = { "", "", "", "", "", "", "", false, false, false, "", NULL };

static size_t pack_options(uint8_t *out)
{
	Crossarch__RuntimeOptions options = CROSSARCH__RUNTIME_OPTIONS__INIT;
	Crossarch__Any any = CROSSARCH__ANY__INIT;
	uint8_t inner[256];

	options.config_path = (char *)(uintptr_t) "/etc/x.json";
	any.type_url = (char *)(uintptr_t) "runtimeoptions.v1.Options";
	any.value.data = inner;
	any.value.len = crossarch__runtime_options__pack(&options, inner);
	return crossarch__any__pack(&any, out);
}

static void expect_config_path(const struct bootstrap *boot, struct arena *arena)
{
	struct prepare_request r = { .id = "x" };
	struct err err;

	assert_non_null(boot->options);
	assert_int_equal(options_read(boot->options, arena, &r, &err), 0);
	assert_string_equal(r.config_path, "/etc/x.json");
}

static void test_stdin_any(void **state)
{
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	struct bootstrap boot;
	uint8_t bytes[512];
	struct err err;

	(void)state;
	assert_int_equal(
		bootstrap_decode(bytes, pack_options(bytes), &no_args, &arena, &boot, &err), 0);
	expect_config_path(&boot, &arena);
}

static void test_stdin_bootstrap_params(void **state)
{
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	Crossarch__BootstrapParams params = CROSSARCH__BOOTSTRAP_PARAMS__INIT;
	Crossarch__Extension extension = CROSSARCH__EXTENSION__INIT, stranger = extension,
			     *list[2] = { &stranger, &extension };
	Crossarch__Any other = CROSSARCH__ANY__INIT;
	uint8_t bytes[1024], any[512];
	struct bootstrap boot;
	struct err err;
	size_t n = pack_options(any);

	(void)state;
	other.type_url = (char *)(uintptr_t) "type.googleapis.com/somebody.else.v1.Feature";
	stranger.value = &other;
	extension.value = crossarch__any__unpack(NULL, n, any);
	params.instance_id = (char *)(uintptr_t) "abc";
	params.namespace_ = (char *)(uintptr_t) "k8s.io";
	params.log_level = -4;
	params.containerd_grpc_address = (char *)(uintptr_t) "/run/c.sock";
	params.socket_dir = (char *)(uintptr_t) "/run/other";
	params.extensions = list;
	params.n_extensions = ARRAY_SIZE(list);
	n = crossarch__bootstrap_params__pack(&params, bytes);
	assert_int_equal(bootstrap_decode(bytes, n, &no_args, &arena, &boot, &err), 0);
	assert_string_equal(boot.socket_dir, "/run/other");
	expect_config_path(&boot, &arena);
	crossarch__any__free_unpacked(extension.value, NULL);
}

/* containerd 2.3 sends both the flags and BootstrapParams; a later one is to send these only. */
static void test_stdin_completes(void **state)
{
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	Crossarch__BootstrapParams params = CROSSARCH__BOOTSTRAP_PARAMS__INIT;
	struct args a = no_args;
	struct bootstrap boot;
	uint8_t bytes[512];
	struct err err;
	size_t n;

	(void)state;
	params.instance_id = (char *)(uintptr_t) "abc";
	params.namespace_ = (char *)(uintptr_t) "k8s.io";
	params.log_level = -8;
	params.containerd_version = (char *)(uintptr_t) "v2.4.0";
	params.containerd_grpc_address = (char *)(uintptr_t) "unix:///run/c.sock";
	params.containerd_ttrpc_address = (char *)(uintptr_t) "/run/c.sock.ttrpc";
	params.containerd_binary = (char *)(uintptr_t) "/usr/bin/containerd";
	n = crossarch__bootstrap_params__pack(&params, bytes);
	assert_int_equal(args_check(&a, &err), -1);
	assert_int_equal(bootstrap_decode(bytes, n, &a, &arena, &boot, &err), 0);
	assert_true(boot.params);
	bootstrap_complete(&boot, &a);
	assert_int_equal(args_check(&a, &err), 0);
	assert_string_equal(a.id, "abc");
	assert_string_equal(a.namespace, "k8s.io");
	assert_string_equal(a.address, "/run/c.sock");
	assert_string_equal(a.publish_binary, "/usr/bin/containerd");
	assert_string_equal(boot.ttrpc_address, "/run/c.sock.ttrpc");
	assert_true(a.debug);

	/* With flags it is what has the same id and namespace, addresses or not. */
	params.containerd_version = params.containerd_grpc_address =
		params.containerd_ttrpc_address = (char *)(uintptr_t)protobuf_c_empty_string;
	n = crossarch__bootstrap_params__pack(&params, bytes);
	assert_int_equal(bootstrap_decode(bytes, n, &a, &arena, &boot, &err), 0);
	assert_true(boot.params);
	a.id = "another";
	assert_int_equal(bootstrap_decode(bytes, n, &a, &arena, &boot, &err), 0);
	assert_false(boot.params);
}

static size_t answer(const struct bootstrap *boot, uint8_t ret[128])
{
	struct err err;
	ssize_t n;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(bootstrap_answer(boot, "unix:///run/s/x", fd[1], &err), 0);
	n = read(fd[0], ret, 128);
	assert_true(n > 0);
	close(fd[0]);
	close(fd[1]);
	return (size_t)n;
}

static void test_answers(void **state)
{
	static const char text[] = "unix:///run/s/x";
	struct bootstrap boot = { .params = false };
	Crossarch__BootstrapResult *result;
	uint8_t bytes[128];

	(void)state;
	assert_int_equal(answer(&boot, bytes), strlen(text));
	assert_memory_equal(bytes, text, strlen(text));
	boot.params = true;
	result = crossarch__bootstrap_result__unpack(NULL, answer(&boot, bytes), bytes);
	assert_non_null(result);
	assert_int_equal(result->version, 3);
	assert_string_equal(result->address, text);
	assert_string_equal(result->protocol, "ttrpc");
	crossarch__bootstrap_result__free_unpacked(result, NULL);
}

static void test_stdin_empty_and_garbage(void **state)
{
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	struct bootstrap boot;
	struct err err;

	(void)state;
	assert_int_equal(bootstrap_decode("", 0, &no_args, &arena, &boot, &err), 0);
	assert_null(boot.options);
	assert_int_equal(bootstrap_decode("\xff\xff\xff\xff", 4, &no_args, &arena, &boot, &err),
			 -1);
	assert_int_equal(err.code, ERR_INVALID);
}

static void test_unknown_options(void **state)
{
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	struct prepare_request r = { .id = "x" };
	Crossarch__Any any = CROSSARCH__ANY__INIT;
	struct err err;

	(void)state;
	any.type_url = (char *)(uintptr_t) "foreign.v1.Options";
	assert_int_equal(options_read(&any, &arena, &r, &err), -1);
	assert_non_null(strstr(err.text, "foreign.v1.Options"));
}

static void test_socket_life(void **state)
{
	char dir[] = "/tmp/crossarch-test-XXXXXX", path[SOCKET_PATH_MAX + 1];
	struct rlimit files;
	struct err err;
	int fd, again;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(socket_path(dir, "/run/c.sock", "k8s.io", "abc", path, &err), 0);
	assert_int_equal(socket_listen(path, &fd, &err), 0);
	assert_true(fd >= 0);
	assert_int_equal(socket_state(path), SOCKET_ALIVE);
	/* a second start finds the live one */
	assert_int_equal(socket_listen(path, &again, &err), 0);
	assert_int_equal(again, -1);
	socket_remove_stale(path);
	assert_int_equal(access(path, F_OK), 0);
	/* a killed shim leaves its name behind; the next start takes it over */
	close(fd);
	assert_int_equal(socket_state(path), SOCKET_DEAD);
	assert_int_equal(socket_listen(path, &fd, &err), 0);
	assert_true(fd >= 0);
	/* who cannot ask does not take it for dead */
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 0, files.rlim_max }), 0);
	assert_int_equal(socket_state(path), SOCKET_UNKNOWN);
	socket_remove_stale(path);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	assert_int_equal(access(path, F_OK), 0);
	socket_remove_stale(path);
	assert_int_equal(access(path, F_OK), -1);
	rmdir(dir);
}

/* A shim that is being killed: connections to it end, and a moment later it listens no more. */
static pid_t dying(const char *path)
{
	struct err err;
	pid_t pid;
	int fd;

	assert_int_equal(socket_listen(path, &fd, &err), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		for (int i = 0; i < 40; i++) {
			usleep(1000);
			close(accept(fd, NULL, NULL));
		}
		_exit(0);
	}
	close(fd);
	return pid;
}

static void test_socket_of_the_dying(void **state)
{
	char dir[] = "/tmp/crossarch-test-XXXXXX", path[SOCKET_PATH_MAX + 1];
	struct err err;
	pid_t pid;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(socket_path(dir, "/run/c.sock", "k8s.io", "abc", path, &err), 0);
	pid = dying(path);
	assert_int_equal(socket_listen(path, &fd, &err), 0);
	assert_true(fd >= 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(fd);
	socket_remove_stale(path);
	pid = dying(path);
	socket_remove_stale(path);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	rmdir(dir);
}

static void test_socket_path_too_long(void **state)
{
	char dir[200], path[SOCKET_PATH_MAX + 1];
	struct err err;

	(void)state;
	memset(dir, 'd', sizeof(dir) - 1);
	dir[sizeof(dir) - 1] = '\0';
	assert_int_equal(socket_path(dir, "/a", "n", "k", path, &err), -1);
}

static void test_identifiers(void **state)
{
	(void)state;
	assert_true(str_is_identifier("a"));
	assert_true(str_is_identifier("k8s.io"));
	assert_true(str_is_identifier("my-pod_1.2"));
	assert_false(str_is_identifier(""));
	assert_false(str_is_identifier("a/b"));
	assert_false(str_is_identifier(".."));
	assert_false(str_is_identifier("-a"));
	assert_false(str_is_identifier("a."));
	assert_false(str_is_identifier("a..b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_args_of_containerd),
		cmocka_unit_test(test_args_forms),
		cmocka_unit_test(test_stdin_any),
		cmocka_unit_test(test_stdin_bootstrap_params),
		cmocka_unit_test(test_stdin_completes),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_stdin_empty_and_garbage),
		cmocka_unit_test(test_unknown_options),
		cmocka_unit_test(test_socket_life),
		cmocka_unit_test(test_socket_of_the_dying),
		cmocka_unit_test(test_socket_path_too_long),
		cmocka_unit_test(test_identifiers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
