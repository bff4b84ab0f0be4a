/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "runtime/oci/pod_mounts.h"

/* What containers of a pod without a pause container find at /etc/hosts and the like. */

#define DIR "/run/pod/crossarch.files"
#define BIND(destination, source, mode)                                               \
	"{\"destination\":\"" destination "\",\"type\":\"bind\",\"source\":\"" source \
	"\",\"options\":[\"rbind\",\"rprivate\",\"" mode "\"]}"
#define FILES(mode)                                                             \
	BIND("/etc/hostname", DIR "/hostname", mode)                            \
	"," BIND("/etc/hosts", DIR "/hosts", mode) "," BIND("/etc/resolv.conf", \
							    DIR "/resolv.conf", mode)
#define SHM BIND("/dev/shm", DIR "/shm", "rw")
#define TMPFS "{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\"}"

static json *parse(const char *text)
{
	json *j = NULL;
	struct err err;

	if (json_parse(text, strlen(text), "it", &j, &err) < 0)
		fail_msg("%s", err.text);
	return j;
}

static void expect(const char *text, bool host_ipc, const char *want)
{
	CLEANUP_JSON json *j = parse(text);
	CLEANUP_BUF struct buf out = BUF_INIT(65536);
	struct err err;

	/* Twice: the second time changes nothing. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pod_mounts_add(j, DIR, host_ipc, &err), 0);
		buf_deinit(&out);
		assert_int_equal(json_print(j, &out, &err), 0);
		assert_string_equal(buf_str(&out), want);
	}
}

static void none_yet(void **state)
{
	(void)state;
	expect("{}", false, "{\"mounts\":[" FILES("rw") "," SHM "]}");
	expect("{\"mounts\":[]}", false, "{\"mounts\":[" FILES("rw") "," SHM "]}");
	expect("{\"mounts\":null}", false, "{\"mounts\":[" FILES("rw") "," SHM "]}");
}

/* The default of OCI, in whose place and order the pod's comes. */
static void default_shm(void **state)
{
	(void)state;
	expect("{\"mounts\":[{\"destination\":\"/proc\"}," TMPFS ",{\"destination\":\"/data\"}]}",
	       false,
	       "{\"mounts\":[{\"destination\":\"/proc\"}," SHM
	       ",{\"destination\":\"/data\"}," FILES("rw") "]}");
}

static void nodes_shm(void **state)
{
	(void)state;
	expect("{\"mounts\":[" TMPFS "]}", true,
	       "{\"mounts\":[" BIND("/dev/shm", "/dev/shm", "rw") "," FILES("rw") "]}");
}

/* What is mounted there already, the kubelet's hosts and the volumes of the pod's author, stays. */
static void others(void **state)
{
	(void)state;
	expect("{\"mounts\":[{\"destination\":\"/etc/hosts\",\"source\":\"/k\"},"
	       "{\"destination\":\"/dev/shm\",\"type\":\"bind\",\"source\":\"/v\"}]}",
	       false,
	       "{\"mounts\":[{\"destination\":\"/etc/hosts\",\"source\":\"/k\"},"
	       "{\"destination\":\"/dev/shm\",\"type\":\"bind\",\"source\":\"/v\"}," BIND(
		       "/etc/hostname", DIR "/hostname",
		       "rw") "," BIND("/etc/resolv.conf", DIR "/resolv.conf", "rw") "]}");
	expect("{\"mounts\":[{\"destination\":\"/dev/shm\",\"source\":\"/"
	       "v\",\"options\":[\"bind\"]}]}",
	       false,
	       "{\"mounts\":[{\"destination\":\"/dev/shm\",\"source\":\"/"
	       "v\",\"options\":[\"bind\"]}," FILES("rw") "]}");
	/* The last one is what the container sees. */
	expect("{\"mounts\":[" TMPFS
	       ",{\"destination\":\"/dev/shm\",\"type\":\"bind\",\"source\":\"/v\"}]}",
	       false,
	       "{\"mounts\":[" TMPFS
	       ",{\"destination\":\"/dev/shm\",\"type\":\"bind\",\"source\":\"/v\"}," FILES(
		       "rw") "]}");
}

static void read_only_root(void **state)
{
	(void)state;
	expect("{\"root\":{\"readonly\":true},\"mounts\":[]}", false,
	       "{\"root\":{\"readonly\":true},\"mounts\":[" FILES("ro") "," SHM "]}");
	expect("{\"root\":{\"readonly\":false}}", false,
	       "{\"root\":{\"readonly\":false},\"mounts\":[" FILES("rw") "," SHM "]}");
}

/* Mounts that make no sense are the engine's to refuse. */
static void odd(void **state)
{
	(void)state;
	expect("{\"mounts\":[1,null,{},{\"destination\":7},{\"destination\":\"/dev/"
	       "shm\",\"type\":{}}]}",
	       false,
	       "{\"mounts\":[1,null,{},{\"destination\":7},{\"destination\":\"/dev/"
	       "shm\",\"type\":{}}," FILES("rw") "]}");
}

static void no_list(void **state)
{
	CLEANUP_JSON json *j = parse("{\"mounts\":{}}");
	struct err err;

	(void)state;
	assert_int_equal(pod_mounts_add(j, DIR, false, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_yet),	  cmocka_unit_test(default_shm),
		cmocka_unit_test(nodes_shm),	  cmocka_unit_test(others),
		cmocka_unit_test(read_only_root), cmocka_unit_test(odd),
		cmocka_unit_test(no_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
