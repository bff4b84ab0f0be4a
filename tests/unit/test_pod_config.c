/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "proto/task.pb-c.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "shim/sandbox/pod_config.h"

/* What the shim takes of a PodSandboxConfig, and what it refuses. */

struct given {
	Crossarch__PodConfig config;
	Crossarch__PodLinux linux_config;
	Crossarch__PodSecurityContext security;
	Crossarch__PodNamespaceOptions namespaces;
	Crossarch__PodUserNamespace user;
	Crossarch__PodIdMapping mapping, *mappings[1];
	Crossarch__PodDns dns;
	Crossarch__PodSysctl sysctl, *sysctls[1];
	char *words[2];
	struct arena arena;
};

/* A pod of the kubelet's, with namespaces of its own. */
static void given_init(struct given *g)
{
	memset(g, 0, sizeof(*g));
	crossarch__pod_config__init(&g->config);
	crossarch__pod_linux__init(&g->linux_config);
	crossarch__pod_security_context__init(&g->security);
	crossarch__pod_namespace_options__init(&g->namespaces);
	crossarch__pod_user_namespace__init(&g->user);
	crossarch__pod_id_mapping__init(&g->mapping);
	crossarch__pod_dns__init(&g->dns);
	crossarch__pod_sysctl__init(&g->sysctl);
	g->config.hostname = "pod";
	g->config.linux_config = &g->linux_config;
	g->linux_config.security_context = &g->security;
	g->linux_config.cgroup_parent = "/kubepods";
	g->security.namespace_options = &g->namespaces;
	g->namespaces.pid = CROSSARCH__POD_NAMESPACE_MODE__POD_NAMESPACE_CONTAINER;
	g->mappings[0] = &g->mapping;
	g->sysctls[0] = &g->sysctl;
}

static int read_as(struct given *g, const char *type, struct pod_config *ret, struct err *err)
{
	static uint8_t bytes[1 << 16];
	Crossarch__Any any = CROSSARCH__ANY__INIT;

	any.type_url = (char *)type;
	any.value.data = bytes;
	any.value.len = crossarch__pod_config__pack(&g->config, bytes);
	return pod_config_read(&any, &g->arena, ret, err);
}

static void good(struct given *g, struct pod_config *ret)
{
	struct err err;

	if (read_as(g, "runtime.v1.PodSandboxConfig", ret, &err) < 0)
		fail_msg("%s", err.text);
}

static void bad(struct given *g, const char *why)
{
	struct pod_config c;
	struct err err;

	assert_int_equal(read_as(g, "runtime.v1.PodSandboxConfig", &c, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	if (!strstr(err.text, why))
		fail_msg("%s, wanted %s", err.text, why);
	arena_deinit(&g->arena);
}

static void nothing(void **state)
{
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	Crossarch__Any any = CROSSARCH__ANY__INIT;
	struct pod_config c;
	struct err err;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pod_config_read(i ? &any : NULL, &arena, &c, &err), 0);
		assert_string_equal(c.hostname, "");
		assert_string_equal(c.cgroup_parent, "");
		assert_null(c.dns);
		assert_false(c.host_network || c.host_ipc || c.host_pid || c.user);
	}
}

static void the_kubelets(void **state)
{
	struct pod_config c;
	struct given g;

	(void)state;
	given_init(&g);
	good(&g, &c);
	assert_string_equal(c.hostname, "pod");
	assert_string_equal(c.cgroup_parent, "/kubepods");
	assert_false(c.host_network || c.host_ipc || c.host_pid || c.user);
	arena_deinit(&g.arena);
}

/* What is not said is the pod's own, never the node's. */
static void little_said(void **state)
{
	struct pod_config c;
	struct given g;

	(void)state;
	for (int i = 0; i < 3; i++) {
		given_init(&g);
		if (i == 0)
			g.config.linux_config = NULL;
		if (i == 1)
			g.linux_config.security_context = NULL;
		if (i == 2)
			g.security.namespace_options = NULL;
		good(&g, &c);
		assert_false(c.host_network || c.host_ipc || c.host_pid || c.user);
		arena_deinit(&g.arena);
	}
}

static void modes(void **state)
{
	struct pod_config c;
	struct given g;

	(void)state;
	given_init(&g);
	g.namespaces.network = g.namespaces.pid = g.namespaces.ipc =
		CROSSARCH__POD_NAMESPACE_MODE__POD_NAMESPACE_NODE;
	good(&g, &c);
	assert_true(c.host_network && c.host_ipc && c.host_pid);
	arena_deinit(&g.arena);
	for (int mode = 0; mode < 9; mode++) {
		if (mode == CROSSARCH__POD_NAMESPACE_MODE__POD_NAMESPACE_NODE)
			continue;
		g.namespaces.network = g.namespaces.pid = g.namespaces.ipc =
			(Crossarch__PodNamespaceMode)mode;
		good(&g, &c);
		assert_false(c.host_network || c.host_ipc || c.host_pid);
		arena_deinit(&g.arena);
	}
}

static void user_namespace(void **state)
{
	struct pod_config c;
	struct given g;

	(void)state;
	given_init(&g);
	g.namespaces.userns_options = &g.user;
	bad(&g, "has no root");
	g.user.uids = g.user.gids = g.mappings;
	g.user.n_uids = g.user.n_gids = 1;
	bad(&g, "has no root"); /* of no length */
	g.mapping.host_id = 4294967295u;
	g.mapping.length = 65536;
	good(&g, &c);
	assert_true(c.user);
	assert_int_equal(c.root_uid, 4294967295u);
	assert_int_equal(c.root_gid, 4294967295u);
	arena_deinit(&g.arena);
	g.mapping.container_id = 1;
	bad(&g, "has no root");
	g.user.mode = CROSSARCH__POD_NAMESPACE_MODE__POD_NAMESPACE_NODE;
	good(&g, &c);
	assert_false(c.user);
	assert_int_equal(c.root_uid, 0);
	arena_deinit(&g.arena);
	g.user.mode = CROSSARCH__POD_NAMESPACE_MODE__POD_NAMESPACE_TARGET;
	bad(&g, "no mode of a user namespace");
}

static void host_names(void **state)
{
	char name[66] = "";
	struct pod_config c;
	struct given g;

	(void)state;
	given_init(&g);
	memset(name, 'n', 64);
	g.config.hostname = name;
	good(&g, &c);
	arena_deinit(&g.arena);
	name[64] = 'n';
	bad(&g, "host name of 65 bytes");
	g.config.hostname = "two\nlines";
	bad(&g, "control character");
	g.config.hostname = "";
	good(&g, &c);
	arena_deinit(&g.arena);
}

static void resolver(void **state)
{
	struct given g;

	(void)state;
	for (int i = 0; i < 3; i++) {
		given_init(&g);
		g.config.dns_config = &g.dns;
		g.words[0] = "good";
		g.words[1] = i == 1 ? "a\rb" : "a\nnameserver 192.0.2.1";
		g.dns.servers = g.dns.searches = g.dns.options = g.words;
		g.dns.n_servers = i == 0 ? 2 : 1;
		g.dns.n_searches = i == 1 ? 2 : 1;
		g.dns.n_options = i == 2 ? 2 : 1;
		bad(&g, i == 0	 ? "name server"
			: i == 1 ? "search domain"
				 : "option of the resolver");
	}
}

static void sysctls(void **state)
{
	static const char *const names[] = { "", "net.core.a=b", "net.core.\n" };
	struct pod_config c;
	struct given g;

	(void)state;
	given_init(&g);
	g.linux_config.sysctls = g.sysctls;
	g.linux_config.n_sysctls = 1;
	g.sysctl.value = "1\t2";
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		g.sysctl.name = (char *)names[i];
		bad(&g, "kernel parameter");
	}
	g.sysctl.name = "net.core.somaxconn";
	good(&g, &c);
	assert_int_equal(c.n_sysctls, 1);
	assert_string_equal(c.sysctls[0]->value, "1\t2");
	arena_deinit(&g.arena);
}

static void another_type(void **state)
{
	struct pod_config c;
	struct given g;
	struct err err;

	(void)state;
	given_init(&g);
	assert_int_equal(read_as(&g, "runtime.v2.PodSandboxConfig", &c, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(read_as(&g, "type.googleapis.com/runtime.v1.PodSandboxConfig", &c, &err),
			 0);
	arena_deinit(&g.arena);
}

/* Cut anywhere, it decodes or does not, and nothing is read beyond it (check-asan). */
static void cut(void **state)
{
	Crossarch__Any any = CROSSARCH__ANY__INIT;
	uint8_t bytes[512];
	struct pod_config c;
	struct given g;
	struct err err;
	size_t n;

	(void)state;
	given_init(&g);
	g.config.dns_config = &g.dns;
	g.dns.servers = g.words;
	g.dns.n_servers = 1;
	g.words[0] = "192.0.2.1";
	n = crossarch__pod_config__pack(&g.config, bytes);
	any.type_url = "runtime.v1.PodSandboxConfig";
	for (size_t i = 0; i < n; i++) {
		any.value.data = i ? memcpy(malloc(i), bytes, i) : NULL;
		any.value.len = i;
		if (pod_config_read(&any, &g.arena, &c, &err) < 0)
			assert_int_equal(err.code, ERR_INVALID);
		arena_deinit(&g.arena);
		free(any.value.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),	  cmocka_unit_test(the_kubelets),
		cmocka_unit_test(little_said),	  cmocka_unit_test(modes),
		cmocka_unit_test(user_namespace), cmocka_unit_test(host_names),
		cmocka_unit_test(resolver),	  cmocka_unit_test(sysctls),
		cmocka_unit_test(another_type),	  cmocka_unit_test(cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
