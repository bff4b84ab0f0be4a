/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "shim/sandbox/pod_files.h"

/* The files that the containers of a pod share. */

static int setup(void **state)
{
	char *bundle = strdup("/tmp/crossarch-files-XXXXXX");

	assert_non_null(mkdtemp(bundle));
	*state = bundle;
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	pod_files_remove(*state);
	str_fmt(command, sizeof(command), "rm -rf --one-file-system %s", (const char *)*state);
	assert_int_equal(system(command), 0);
	free(*state);
	return 0;
}

/* Without shm, whose mount not everybody may do. */
static struct pod_config plain(void)
{
	return (struct pod_config){ .hostname = "pod", .cgroup_parent = "", .host_ipc = true };
}

static void make(const char *bundle, const struct pod_config *c)
{
	struct err err;

	if (syscall(SYS_openat2, -1, "", NULL, 0) < 0 && errno == ENOSYS)
		skip(); /* qemu-user does not pass it on */
	if (pod_files_make(bundle, c, &err) < 0)
		fail_msg("%s", err.text);
}

static void path_of(const char *bundle, const char *name, char ret[128])
{
	assert_true(str_fmt(ret, 128, "%s/" POD_FILES "/%s", bundle, name));
}

static void expect(const char *bundle, const char *name, const char *want)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
	char path[128];
	struct stat st;
	struct err err;

	path_of(bundle, name, path);
	assert_int_equal(file_read(AT_FDCWD, path, &text, &err), 0);
	assert_string_equal(buf_str(&text), want);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0444, 0444);
}

static void expect_copy(const char *bundle, const char *name, const char *of)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
	struct err err;

	if (file_read(AT_FDCWD, of, &text, &err) < 0)
		assert_int_equal(err.code, ERR_NOT_FOUND);
	expect(bundle, name, buf_str(&text));
}

static void the_nodes(void **state)
{
	struct pod_config c = plain();
	char path[128];

	make(*state, &c);
	expect(*state, "hostname", "pod\n");
	expect_copy(*state, "hosts", "/etc/hosts");
	expect_copy(*state, "resolv.conf", "/etc/resolv.conf");
	path_of(*state, "shm", path);
	assert_int_equal(access(path, F_OK), -1);
}

static void no_host_name(void **state)
{
	struct pod_config c = plain();
	char name[256] = "";

	c.hostname = "";
	make(*state, &c);
	assert_int_equal(gethostname(name, sizeof(name) - 2), 0);
	strcat(name, "\n");
	expect(*state, "hostname", name);
}

static void resolver(void **state)
{
	char *servers[] = { "192.0.2.1", "2001:db8::1" },
	     *searches[] = { "a.example", "b.example" }, *options[] = { "ndots:5", "edns0" };
	Crossarch__PodDns dns = CROSSARCH__POD_DNS__INIT;
	struct pod_config c = plain();

	c.dns = &dns;
	make(*state, &c); /* one that says nothing is not the node's */
	expect(*state, "resolv.conf", "");
	dns.servers = servers;
	dns.n_servers = 1;
	make(*state, &c);
	expect(*state, "resolv.conf", "nameserver 192.0.2.1\n");
	dns.n_servers = dns.n_searches = dns.n_options = 2;
	dns.searches = searches;
	dns.options = options;
	make(*state, &c);
	expect(*state, "resolv.conf",
	       "search a.example b.example\nnameserver 192.0.2.1\nnameserver 2001:db8::1\n"
	       "options ndots:5 edns0\n");
}

static void too_large(void **state)
{
	char *words[8], *word = malloc((256 << 10) + 1);
	Crossarch__PodDns dns = CROSSARCH__POD_DNS__INIT;
	struct pod_config c = plain();
	struct err err;

	memset(word, 'x', 256 << 10);
	word[256 << 10] = '\0';
	for (size_t i = 0; i < 8; i++)
		words[i] = word;
	dns.options = words;
	dns.n_options = 8;
	make(*state, &c);
	c.dns = &dns;
	assert_int_equal(pod_files_make(*state, &c, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	free(word);
}

static void the_pods_root(void **state)
{
	struct pod_config c = plain();
	char path[128];
	struct stat st;

	if (geteuid() != 0)
		skip();
	c.user = true;
	c.root_uid = 200000;
	c.root_gid = 300000;
	make(*state, &c);
	path_of(*state, "hosts", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 200000);
	assert_int_equal(st.st_gid, 300000);
}

static void shm(void **state)
{
	struct pod_config c = plain();
	struct statfs before, now;
	char path[128];
	struct stat st;

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0)
		skip();
	c.host_ipc = false;
	make(*state, &c);
	path_of(*state, "shm", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 01777);
	assert_int_equal(statfs(path, &now), 0);
	assert_int_equal(now.f_blocks * (uint64_t)now.f_bsize, 64 << 20);
	assert_int_equal(statfs(*state, &before), 0);
	pod_files_remove(*state);
	assert_int_equal(statfs(path, &now), 0);
	assert_memory_equal(&now.f_fsid, &before.f_fsid, sizeof(now.f_fsid));
	pod_files_remove(*state);
	pod_files_remove("/no/such/bundle");
}

static void no_bundle(void **state)
{
	struct pod_config c = plain();
	char path[PATH_MAX];
	struct err err;

	(void)state;
	assert_int_equal(pod_files_make("/no/such/bundle", &c, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	memset(path, 'x', sizeof(path));
	path[PATH_MAX - 10] = '\0';
	assert_int_equal(pod_files_make(path, &c, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	pod_files_remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_nodes, setup, teardown),
		cmocka_unit_test_setup_teardown(no_host_name, setup, teardown),
		cmocka_unit_test_setup_teardown(resolver, setup, teardown),
		cmocka_unit_test_setup_teardown(too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(the_pods_root, setup, teardown),
		cmocka_unit_test_setup_teardown(no_bundle, setup, teardown),
		cmocka_unit_test_setup_teardown(shm, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
