/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/sandbox/pod_config.h"

#include "runtime/base/allocator.h"
#include "runtime/base/str.h"

#define TYPE "runtime.v1.PodSandboxConfig"

static void take_namespaces(const Crossarch__PodLinux *linux_config, struct pod_config *ret)
{
	const Crossarch__PodSecurityContext *security = linux_config->security_context;
	const Crossarch__PodNamespaceOptions *o = security ? security->namespace_options : NULL;

	if (!o)
		return;
	ret->host_network = o->network == CROSSARCH__POD_NAMESPACE_MODE__POD_NAMESPACE_NODE;
	ret->host_ipc = o->ipc == CROSSARCH__POD_NAMESPACE_MODE__POD_NAMESPACE_NODE;
	ret->shared_pid = o->pid == CROSSARCH__POD_NAMESPACE_MODE__POD_NAMESPACE_POD;
	ret->user = o->userns_options &&
		    o->userns_options->mode == CROSSARCH__POD_NAMESPACE_MODE__POD_NAMESPACE_POD;
}

static void take(const Crossarch__PodConfig *c, struct pod_config *ret)
{
	ret->hostname = c->hostname;
	ret->dns = c->dns_config;
	if (!c->linux_config)
		return;
	ret->cgroup_parent = c->linux_config->cgroup_parent;
	ret->sysctls = c->linux_config->sysctls;
	ret->n_sysctls = c->linux_config->n_sysctls;
	take_namespaces(c->linux_config, ret);
}

int pod_config_read(const Crossarch__Any *options, struct arena *arena, struct pod_config *ret,
		    struct err *err)
{
	ProtobufCAllocator alloc = arena_allocator(arena);
	const Crossarch__PodConfig *config;

	*ret = (struct pod_config){ .hostname = "", .cgroup_parent = "" };
	if (!options || !*options->type_url)
		return 0;
	if (!str_ends(options->type_url, TYPE))
		return err_set(err, ERR_INVALID, "options of a sandbox: %.100s is not " TYPE,
			       options->type_url);
	config = crossarch__pod_config__unpack(&alloc, options->value.len, options->value.data);
	if (!config)
		return err_set(err, ERR_INVALID, "options of a sandbox: " TYPE " does not decode");
	take(config, ret);
	return 0;
}
