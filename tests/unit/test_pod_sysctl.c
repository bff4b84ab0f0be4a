/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/pause/pod_sysctl.h"

/* Which kernel parameters are a pod's, and where they are. */

static const struct pod_namespaces all = { .net = "/net", .uts = true, .ipc = true, .pid = true };

static void expect(const struct pod_namespaces *n, const char *name, const char *want)
{
	char path[POD_SYSCTL_MAX];

	if (!want) {
		if (pod_sysctl_path(name, n, path))
			fail_msg("%s is %s", name, path);
		return;
	}
	if (!pod_sysctl_path(name, n, path))
		fail_msg("%s is refused", name);
	assert_string_equal(path, want);
}

static void forms(void **state)
{
	(void)state;
	expect(&all, "net.core.somaxconn", "net/core/somaxconn");
	expect(&all, "net/core/somaxconn", "net/core/somaxconn");
	/* An interface of a VLAN, eth0.100, in both. */
	expect(&all, "net.ipv4.conf.eth0/100.rp_filter", "net/ipv4/conf/eth0.100/rp_filter");
	expect(&all, "net/ipv4/conf/eth0.100/rp_filter", "net/ipv4/conf/eth0.100/rp_filter");
	expect(&all, "kernel.shm_rmid_forced", "kernel/shm_rmid_forced");
	expect(&all, "kernel/msgmax", "kernel/msgmax");
	expect(&all, "kernel.sem", "kernel/sem");
	expect(&all, "fs.mqueue.msg_max", "fs/mqueue/msg_max");
	expect(&all, "kernel.domainname", "kernel/domainname");
}

static void the_nodes(void **state)
{
	static const char *const names[] = {
		"kernel.panic",	   "kernel.core_pattern",
		"vm.swappiness",   "fs.file-max",
		"kernel.hostname", "kernel.shm_next_id",
		"kernel.msgmaxi",  "user.max_net_namespaces",
		"network.x",	   "net",
		"fs.mqueue",	   "kernel",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		expect(&all, names[i], NULL);
}

static void ways_out(void **state)
{
	static const char *const names[] = {
		"",
		".",
		"/",
		"..",
		"net..",
		"net/../kernel/panic",
		"net/./core/somaxconn",
		"net//core",
		"net.",
		"net/",
		"/net/core/somaxconn",
		".net.core",
		"net.ipv4.//.kernel.panic",
		"net/ipv4/../../kernel/panic",
		"net.//.kernel.panic",
		"fs/mqueue/../../kernel/panic",
		"kernel/../kernel/sem",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		expect(&all, names[i], NULL);
}

/* Without a namespace of the pod's the parameter is the node's. */
static void by_namespace(void **state)
{
	const struct pod_namespaces none = { .pid = true }, new_net = { .new_net = true },
				    ipc = { .ipc = true }, uts = { .uts = true };

	(void)state;
	expect(&none, "net.core.somaxconn", NULL);
	expect(&none, "kernel.sem", NULL);
	expect(&none, "fs.mqueue.msg_max", NULL);
	expect(&none, "kernel.domainname", NULL);
	expect(&new_net, "net.core.somaxconn", "net/core/somaxconn");
	expect(&new_net, "kernel.sem", NULL);
	expect(&ipc, "kernel.sem", "kernel/sem");
	expect(&ipc, "net.core.somaxconn", NULL);
	expect(&uts, "kernel.domainname", "kernel/domainname");
	expect(&uts, "kernel.sem", NULL);
}

static void too_long(void **state)
{
	char name[POD_SYSCTL_MAX + 1];

	(void)state;
	memset(name, 'x', sizeof(name));
	memcpy(name, "net.", 4);
	name[POD_SYSCTL_MAX] = '\0';
	expect(&all, name, NULL);
	name[POD_SYSCTL_MAX - 1] = '\0';
	name[3] = '/';
	expect(&all, name, name);
}

/* Nothing is written: this process has no namespaces of its own. */
static void refused(void **state)
{
	const struct pod_namespaces none = { .net = NULL };
	struct err err;

	(void)state;
	assert_int_equal(pod_sysctl_set("kernel.panic", "77", &none, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.text, "\"kernel.panic\" is not one of the pod's namespaces"));
	assert_int_equal(pod_sysctl_set("net.no.such.parameter", "77", &all, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.text, "net.no.such.parameter"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),    cmocka_unit_test(the_nodes),
		cmocka_unit_test(ways_out), cmocka_unit_test(by_namespace),
		cmocka_unit_test(too_long), cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
