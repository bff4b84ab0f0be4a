/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/sandbox/pod_config.h"

#include <limits.h>

#include "runtime/base/allocator.h"
#include "runtime/base/str.h"

#define TYPE "runtime.v1.PodSandboxConfig"

#define MODE_POD CROSSARCH__POD_NAMESPACE_MODE__POD_NAMESPACE_POD
#define MODE_NODE CROSSARCH__POD_NAMESPACE_MODE__POD_NAMESPACE_NODE

/* --- what is asked for ---------------------------------------------------------------------- */

/* The node's id of the pod's 0. */
static int find_root(Crossarch__PodIdMapping **mappings, size_t n, uint32_t *ret, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (mappings[i]->container_id || !mappings[i]->length)
			continue;
		*ret = mappings[i]->host_id;
		return 0;
	}
	return err_set(err, ERR_INVALID, "the pod's user namespace has no root");
}

static int take_user(const Crossarch__PodUserNamespace *u, struct pod_config *ret, struct err *err)
{
	if (!u || u->mode == MODE_NODE)
		return 0;
	if (u->mode != MODE_POD)
		return err_set(err, ERR_INVALID, "%d is no mode of a user namespace", u->mode);
	ret->user = true;
	if (find_root(u->uids, u->n_uids, &ret->root_uid, err) < 0)
		return -1;
	return find_root(u->gids, u->n_gids, &ret->root_gid, err);
}

static int take_namespaces(const Crossarch__PodLinux *linux_config, struct pod_config *ret,
			   struct err *err)
{
	const Crossarch__PodSecurityContext *security = linux_config->security_context;
	const Crossarch__PodNamespaceOptions *o = security ? security->namespace_options : NULL;

	if (!o)
		return 0;
	ret->host_network = o->network == MODE_NODE;
	ret->host_ipc = o->ipc == MODE_NODE;
	ret->host_pid = o->pid == MODE_NODE;
	return take_user(o->userns_options, ret, err);
}

static int take(const Crossarch__PodConfig *c, struct pod_config *ret, struct err *err)
{
	ret->hostname = c->hostname;
	ret->dns = c->dns_config;
	if (!c->linux_config)
		return 0;
	ret->cgroup_parent = c->linux_config->cgroup_parent;
	ret->sysctls = c->linux_config->sysctls;
	ret->n_sysctls = c->linux_config->n_sysctls;
	return take_namespaces(c->linux_config, ret, err);
}

/* --- what is no good ------------------------------------------------------------------------ */

/* A line of its own in hostname or resolv.conf would say something that nobody asked for. */
static int check_line(const char *text, const char *what, struct err *err)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return err_set(err, ERR_INVALID, "%s has a control character", what);
	return 0;
}

static int check_lines(char *const *texts, size_t n, const char *what, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (check_line(texts[i], what, err) < 0)
			return -1;
	return 0;
}

static int check_dns(const Crossarch__PodDns *dns, struct err *err)
{
	if (!dns)
		return 0;
	if (check_lines(dns->servers, dns->n_servers, "a name server", err) < 0 ||
	    check_lines(dns->searches, dns->n_searches, "a search domain", err) < 0)
		return -1;
	return check_lines(dns->options, dns->n_options, "an option of the resolver", err);
}

/* NAME=VALUE is cut at the first "=" (runtime/pause/main.c). */
static int check_sysctls(const struct pod_config *c, struct err *err)
{
	for (size_t i = 0; i < c->n_sysctls; i++) {
		const char *name = c->sysctls[i]->name;

		if (check_line(name, "the name of a kernel parameter", err) < 0)
			return -1;
		if (!*name || strchr(name, '='))
			return err_set(err, ERR_INVALID, "\"%.80s\" is no kernel parameter", name);
	}
	return 0;
}

static int check(const struct pod_config *c, struct err *err)
{
	if (strlen(c->hostname) > HOST_NAME_MAX)
		return err_set(err, ERR_INVALID, "host name of %zu bytes, more than %d",
			       strlen(c->hostname), HOST_NAME_MAX);
	if (check_line(c->hostname, "the host name", err) < 0 || check_dns(c->dns, err) < 0)
		return -1;
	return check_sysctls(c, err);
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
	if (take(config, ret, err) < 0 || check(ret, err) < 0)
		return err_in(err, "options of a sandbox");
	return 0;
}
