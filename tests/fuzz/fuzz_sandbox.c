/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/allocator.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/pause/pod_sysctl.h"
#include "shim/sandbox/pod_cgroup.h"
#include "shim/sandbox/pod_config.h"
#include "tests/fuzz/fuzz.h"

/* CreateSandbox: what becomes of a PodSandboxConfig, up to the names of files. */

static bool is_line(const char *text)
{
	return !text[strcspn(text, "\n\r")];
}

static void check_lines(char *const *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ASSERT(is_line(lines[i]));
}

/* No part of it is empty, "." or "..". */
static void check_path(const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "/");

		ASSERT(n && !(n == 1 && path[0] == '.') && !(n == 2 && !memcmp(path, "..", 2)));
		path += n;
		ASSERT(!*path || path[1]);
		path += *path == '/';
	}
}

static void check_cgroup(const char *parent)
{
	char path[PATH_MAX];
	struct err err;

	if (pod_cgroup_path(parent, "id", path, &err) < 0) {
		ASSERT(err.code == ERR_INVALID && err.text[0]);
		return;
	}
	ASSERT(!*path == !*parent);
	if (!*path)
		return;
	ASSERT(*path == '/' && (str_ends(path, "/id") || str_ends(path, "-id.scope")));
	check_path(path + 1);
}

static void check_sysctl(const char *name)
{
	static const struct pod_namespaces all = { .new_net = true, .uts = true, .ipc = true },
					   none = { .pid = true };
	char path[POD_SYSCTL_MAX];

	ASSERT(!pod_sysctl_path(name, &none, path));
	if (!pod_sysctl_path(name, &all, path))
		return;
	ASSERT(str_after(path, "net/") || str_after(path, "kernel/") ||
	       str_after(path, "fs/mqueue/"));
	check_path(path);
}

static void check_config(const struct pod_config *c)
{
	ASSERT(c->hostname && c->cgroup_parent && is_line(c->hostname));
	ASSERT(c->user || (!c->root_uid && !c->root_gid));
	if (c->dns) {
		check_lines(c->dns->servers, c->dns->n_servers);
		check_lines(c->dns->searches, c->dns->n_searches);
		check_lines(c->dns->options, c->dns->n_options);
	}
	check_cgroup(c->cgroup_parent);
	for (size_t i = 0; i < c->n_sysctls; i++) {
		ASSERT(!strchr(c->sysctls[i]->name, '=') && *c->sysctls[i]->name);
		check_sysctl(c->sysctls[i]->name);
	}
}

static void check_options(const Crossarch__Any *options, struct arena *arena)
{
	struct pod_config config;
	struct err err;

	if (pod_config_read(options, arena, &config, &err) == 0)
		check_config(&config);
	else
		ASSERT((err.code == ERR_INVALID || err.code == ERR_NOMEM) && err.text[0]);
}

void fuzz_one(uint8_t *bytes, size_t n)
{
	CLEANUP_ARENA struct arena arena = { NULL, 0, 64u << 20 };
	CLEANUP_FREE char *text = malloc(n + 1);
	ProtobufCAllocator alloc = arena_allocator(&arena);
	Crossarch__CreateSandboxRequest *request;
	Crossarch__Any bare = CROSSARCH__ANY__INIT;

	ASSERT(text);
	if (n)
		memcpy(text, bytes, n);
	text[n] = '\0';
	request = crossarch__create_sandbox_request__unpack(&alloc, n, bytes);
	if (request)
		check_options(request->options, &arena);
	/* The options without what is around them, and a name alone. */
	bare.type_url = (char *)(uintptr_t) "runtime.v1.PodSandboxConfig";
	bare.value.data = bytes;
	bare.value.len = n;
	check_options(&bare, &arena);
	check_cgroup(text);
	check_sysctl(text);
}
