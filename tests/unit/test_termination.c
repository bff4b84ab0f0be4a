/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/prepare/prepare.h"

/* Which mount of a specification is the kubelet's termination message file. */

static char root[] = "/tmp/termination-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	(void)str_fmt(command, sizeof(command), "rm -rf %s", root);
	return system(command); /* NOLINT(cert-env33-c): the name is our own */
}

static void make(const char *name)
{
	char path[PATH_MAX], *slash;
	struct err err;

	(void)str_fmt(path, sizeof(path), "%s%s", root, name);
	slash = strrchr(path, '/');
	*slash = '\0';
	assert_int_equal(dir_make(path, 0755, &err), 0);
	*slash = '/';
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
}

/* True when @source, below our directory, is taken for the file, mounted with @option. */
static bool taken(const char *source, const char *option, const char *annotations)
{
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	CLEANUP_JSON json *document = NULL;
	char text[2048];
	struct spec s;
	struct err err;
	CLEANUP_FD int fd = -1;

	(void)str_fmt(
		text, sizeof(text),
		"{\"mounts\":[{\"destination\":\"/var/msg\",\"type\":\"bind\",\"source\":"
		"\"%s%s\",\"options\":[\"rbind\",\"%s\"]},{\"destination\":\"/proc\",\"type\":"
		"\"proc\"}],\"annotations\":{%s}}",
		root, source, option, annotations);
	assert_int_equal(json_parse(text, strlen(text), "spec", &document, &err), 0);
	assert_int_equal(spec_read(document, &arena, &s, &err), 0);
	fd = termination_open(&s);
	return fd >= 0;
}

#define NAME "\"io.kubernetes.cri.container-name\":\"web\""
#define BOTH NAME ",\"io.kubernetes.cri.sandbox-uid\":\"1-2\""

static void the_kubelets(void **state)
{
	(void)state;
	make("/pods/1-2/containers/web/0123cdef");
	assert_true(taken("/pods/1-2/containers/web/0123cdef", "rw", BOTH));
	assert_true(taken("/pods/1-2/containers/web/0123cdef", "rprivate", NAME));
	/* Where the container may not write, neither do we. */
	assert_false(taken("/pods/1-2/containers/web/0123cdef", "ro", BOTH));
	assert_false(taken("/pods/1-2/containers/web/0123cdef", "rro", BOTH));
}

static void others(void **state)
{
	static const char *const names[] = {
		"/pods/1-2/containers/web/0123CDEF",	 "/pods/1-2/containers/web/0123cde",
		"/pods/1-2/containers/web/90123cdef",	 "/pods/1-2/containers/other/0123cdef",
		"/pods/9-9/containers/web/0123cdef",	 "/pods/1-2/volumes/web/0123cdef",
		"/pods/1-2/x/containers/web/x/0123cdef", "/0123cdef",
		"/spods/1-2/containers/web/0123cdef",
	};
	char path[PATH_MAX], link_path[PATH_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		make(names[i]);
		if (taken(names[i], "rw", BOTH))
			fail_msg("%s was taken", names[i]);
	}
	assert_false(taken("/pods/1-2/containers/web/0123cdef", "rw", ""));
	/* What is there in the file's place. */
	(void)str_fmt(path, sizeof(path), "%s/pods/1-2/containers/web/aaaaaaaa", root);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	assert_false(taken("/pods/1-2/containers/web/aaaaaaaa", "rw", BOTH));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0666), 0);
	assert_false(taken("/pods/1-2/containers/web/aaaaaaaa", "rw", BOTH));
	make("/pods/1-2/containers/web/bbbbbbbb");
	(void)str_fmt(path, sizeof(path), "%s/pods/1-2/containers/web/bbbbbbbb", root);
	(void)str_fmt(link_path, sizeof(link_path), "%s/second-name", root);
	assert_true(taken("/pods/1-2/containers/web/bbbbbbbb", "rw", BOTH));
	assert_int_equal(link(path, link_path), 0);
	assert_false(taken("/pods/1-2/containers/web/bbbbbbbb", "rw", BOTH));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kubelets),
		cmocka_unit_test(others),
	};

	return cmocka_run_group_tests_name("termination", tests, set_up, tear_down);
}
