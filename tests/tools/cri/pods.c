/* SPDX-License-Identifier: Apache-2.0 */
/* Pod sandboxes: run, stop, remove, list, status. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "tests/tools/cri/cri.h"

/* --- runp ---------------------------------------------------------------------------------- */

struct runp {
	const char *runtime, *name, *namespace, *uid, *log_dir, *cgroup_parent, *userns, *hostname;
	uint64_t attempt;
	struct cli_list annotations, labels, sysctls, servers, searches, resolver_options;
	bool host_network, host_pid, host_ipc, share_pid, privileged, plain;
};

/* Everything a request points at: gathered here because it must outlive the packing. */
struct runp_parts {
	Cri__RunPodRequest request;
	Cri__PodConfig config;
	Cri__PodMetadata metadata;
	Cri__LinuxPod on_linux;
	Cri__PodSecurity security;
	Cri__Profile seccomp;
	Cri__Namespaces namespaces;
	Cri__UserNamespace userns;
	Cri__IdMapping mapping, *mappings[1];
	Cri__PodDns dns;
	struct cri_pairs labels, annotations, sysctls;
};

static const char *random_uid(struct cri *cri)
{
	unsigned char b[16];

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		abort();
	return cri_text(cri, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
			b[12], b[13], b[14], b[15]);
}

static Cri__NamespaceMode mode(bool node, bool container)
{
	if (node)
		return CRI__NAMESPACE_MODE__NODE;
	return container ? CRI__NAMESPACE_MODE__CONTAINER : CRI__NAMESPACE_MODE__POD;
}

/* "--userns HOST-ID:LENGTH": what the kubelet sends for hostUsers: false. */
static bool fill_userns(struct runp_parts *p, const char *text)
{
	unsigned int host, length;
	char rest;

	if (sscanf(text, "%u:%u%c", &host, &length, &rest) != 2)
		return false;
	cri__user_namespace__init(&p->userns);
	cri__id_mapping__init(&p->mapping);
	p->mapping.host_id = host;
	p->mapping.length = length;
	p->mappings[0] = &p->mapping;
	p->userns.mode = CRI__NAMESPACE_MODE__POD;
	p->userns.n_uids = p->userns.n_gids = 1;
	p->userns.uids = p->userns.gids = p->mappings;
	p->namespaces.userns = &p->userns;
	return true;
}

/* The labels by which the kubelet finds its pods again. */
static void fill_labels(struct cri *cri, struct runp_parts *p, const struct runp *o)
{
	cri_pairs_add(cri, &p->labels, "io.kubernetes.pod.name", o->name);
	cri_pairs_add(cri, &p->labels, "io.kubernetes.pod.namespace", o->namespace);
	cri_pairs_add(cri, &p->labels, "io.kubernetes.pod.uid", o->uid);
	p->config.labels = p->labels.v;
	p->config.n_labels = p->labels.n;
	p->config.annotations = p->annotations.v;
	p->config.n_annotations = p->annotations.n;
}

static void fill_linux(struct runp_parts *p, const struct runp *o)
{
	p->namespaces.network = mode(o->host_network, false);
	p->namespaces.pid = mode(o->host_pid, !o->share_pid);
	p->namespaces.ipc = mode(o->host_ipc, false);
	p->seccomp.type = CRI__PROFILE_TYPE__RUNTIME_DEFAULT;
	p->security.namespaces = &p->namespaces;
	p->security.privileged = o->privileged;
	p->security.seccomp = &p->seccomp;
	p->on_linux.security = o->plain ? NULL : &p->security;
	p->on_linux.cgroup_parent = pb(o->cgroup_parent);
	p->on_linux.sysctls = p->sysctls.v;
	p->on_linux.n_sysctls = p->sysctls.n;
}

/* dnsConfig: without one the node's resolv.conf is the pod's. */
static void fill_dns(struct runp_parts *p, struct runp *o)
{
	if (!o->servers.n && !o->searches.n && !o->resolver_options.n)
		return;
	cri__pod_dns__init(&p->dns);
	p->dns.servers = (char **)(uintptr_t)o->servers.item;
	p->dns.n_servers = o->servers.n;
	p->dns.searches = (char **)(uintptr_t)o->searches.item;
	p->dns.n_searches = o->searches.n;
	p->dns.options = (char **)(uintptr_t)o->resolver_options.item;
	p->dns.n_options = o->resolver_options.n;
	p->config.dns = &p->dns;
}

static void parts_init(struct runp_parts *p)
{
	memset(p, 0, sizeof(*p));
	cri__run_pod_request__init(&p->request);
	cri__pod_config__init(&p->config);
	cri__pod_metadata__init(&p->metadata);
	cri__linux_pod__init(&p->on_linux);
	cri__pod_security__init(&p->security);
	cri__profile__init(&p->seccomp);
	cri__namespaces__init(&p->namespaces);
}

static void parts_fill(struct cri *cri, struct runp_parts *p, struct runp *o)
{
	p->metadata.name = pb(o->name);
	p->metadata.uid = pb(o->uid);
	p->metadata.namespace_ = pb(o->namespace);
	p->metadata.attempt = (uint32_t)o->attempt;
	p->config.metadata = &p->metadata;
	p->config.hostname = pb(o->hostname ? o->hostname : o->host_network ? "" : o->name);
	p->config.log_directory = pb(o->log_dir);
	p->config.on_linux = &p->on_linux;
	fill_labels(cri, p, o);
	fill_linux(p, o);
	fill_dns(p, o);
	p->request.config = &p->config;
	p->request.runtime_handler = pb(o->runtime);
}

static void set_defaults(struct cri *cri, struct runp *o)
{
	if (!o->uid)
		o->uid = random_uid(cri);
	if (!o->name)
		o->name = cri_text(cri, "pod-%.8s", o->uid);
	if (!o->log_dir)
		o->log_dir = cri_text(cri, "/tmp/cri-logs/%s_%s_%s", o->namespace, o->name, o->uid);
}

static int send_runp(struct cri *cri, const struct cli_command *self, struct runp *o)
{
	struct err err = ERR_INIT;
	struct runp_parts p;
	const Cri__IdReply *reply;

	set_defaults(cri, o);
	parts_init(&p);
	if (o->userns && !fill_userns(&p, o->userns))
		return cli_usage(self, "--userns \"%s\" is not HOST-ID:LENGTH", o->userns);
	if (!cri_pairs_parse(cri, &p.annotations, self, &o->annotations) ||
	    !cri_pairs_parse(cri, &p.labels, self, &o->labels) ||
	    !cri_pairs_parse(cri, &p.sysctls, self, &o->sysctls))
		return CLI_USAGE;
	parts_fill(cri, &p, o);
	if (dir_make(o->log_dir, 0755, &err) < 0)
		return cli_fail(self, "%s", err.text);
	reply = cri_call(cri, "RuntimeService/RunPodSandbox", &p.request.base,
			 &cri__id_reply__descriptor);
	if (!reply)
		return CLI_FAILED;
	puts(reply->id);
	return CLI_DONE;
}

static int runp_run(const struct cli_command *self, int argc, char **argv)
{
	struct runp o = { .runtime = "", .namespace = "default", .cgroup_parent = "" };
	const struct cli_option options[] = {
		{ "runtime", 0, CLI_STRING, &o.runtime, "HANDLER", "runtime handler" },
		{ "name", 0, CLI_STRING, &o.name, "NAME", "pod name (pod-RANDOM)" },
		{ "namespace", 0, CLI_STRING, &o.namespace, "NS", "pod namespace (default)" },
		{ "uid", 0, CLI_STRING, &o.uid, "UID", "pod uid (random)" },
		{ "attempt", 0, CLI_NUMBER, &o.attempt, "N", "attempt (0)" },
		{ "annotation", 0, CLI_LIST, &o.annotations, "K=V", "annotation" },
		{ "label", 0, CLI_LIST, &o.labels, "K=V", "label" },
		{ "log-dir", 0, CLI_STRING, &o.log_dir, "DIR",
		  "log directory, made if missing (/tmp/cri-logs/POD)" },
		{ "cgroup-parent", 0, CLI_STRING, &o.cgroup_parent, "PATH", "parent cgroup" },
		{ "host-network", 0, CLI_FLAG, &o.host_network, NULL, "hostNetwork: true" },
		{ "host-pid", 0, CLI_FLAG, &o.host_pid, NULL, "hostPID: true" },
		{ "host-ipc", 0, CLI_FLAG, &o.host_ipc, NULL, "hostIPC: true" },
		{ "share-pid", 0, CLI_FLAG, &o.share_pid, NULL, "shareProcessNamespace: true" },
		{ "privileged", 0, CLI_FLAG, &o.privileged, NULL,
		  "may hold privileged containers" },
		{ "plain", 0, CLI_FLAG, &o.plain, NULL, "without a security context" },
		{ "hostname", 0, CLI_STRING, &o.hostname, "NAME", "host name (the pod's name)" },
		{ "sysctl", 0, CLI_LIST, &o.sysctls, "K=V", "kernel parameter" },
		{ "dns-server", 0, CLI_LIST, &o.servers, "ADDRESS", "name server" },
		{ "dns-search", 0, CLI_LIST, &o.searches, "DOMAIN", "search domain" },
		{ "dns-option", 0, CLI_LIST, &o.resolver_options, "OPTION",
		  "option of the resolver" },
		{ "userns", 0, CLI_STRING, &o.userns, "HOST-ID:LENGTH", "hostUsers: false" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, options, 0, 0, argc, argv, &operands, &status))
		return status;
	return cri_open(&cri) ? send_runp(&cri, self, &o) : CLI_FAILED;
}

const struct cli_command cmd_runp = {
	.name = "runp",
	.operands = "",
	.summary = "run a pod sandbox and print its id",
	.run = runp_run,
};

/* --- the others ---------------------------------------------------------------------------- */

static int stopp_run(const struct cli_command *self, int argc, char **argv)
{
	return cri_run_id(self, argc, argv, "RuntimeService/StopPodSandbox");
}

static int rmp_run(const struct cli_command *self, int argc, char **argv)
{
	return cri_run_id(self, argc, argv, "RuntimeService/RemovePodSandbox");
}

const struct cli_command cmd_stopp = {
	.name = "stopp",
	.operands = "POD",
	.summary = "stop a pod and all its containers",
	.run = stopp_run,
};

const struct cli_command cmd_rmp = {
	.name = "rmp",
	.operands = "POD",
	.summary = "remove a pod",
	.run = rmp_run,
};

static const char *state_name(Cri__PodState state)
{
	return state == CRI__POD_STATE__POD_READY ? "Ready" : "NotReady";
}

static int pods_run(const struct cli_command *self, int argc, char **argv)
{
	Cri__Empty request = CRI__EMPTY__INIT;
	const Cri__ListPodsReply *reply;
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, cri_no_options, 0, 0, argc, argv, &operands, &status))
		return status;
	if (!cri_open(&cri))
		return CLI_FAILED;
	reply = cri_call(&cri, "RuntimeService/ListPodSandbox", &request.base,
			 &cri__list_pods_reply__descriptor);
	for (size_t i = 0; reply && i < reply->n_pods; i++) {
		const Cri__Pod *pod = reply->pods[i];

		printf("%s %-8s %s/%s handler=%s\n", pod->id, state_name(pod->state),
		       pod->metadata ? pod->metadata->namespace_ : "",
		       pod->metadata ? pod->metadata->name : "", pod->runtime_handler);
	}
	return reply ? CLI_DONE : CLI_FAILED;
}

const struct cli_command cmd_pods = {
	.name = "pods",
	.operands = "",
	.summary = "list pods",
	.run = pods_run,
};

static const Cri__PodStatusReply *pod_status(struct cri *cri, const char *id)
{
	Cri__IdRequest request = CRI__ID_REQUEST__INIT;
	const Cri__PodStatusReply *reply;

	request.id = pb(id);
	request.verbose = true;
	reply = cri_call(cri, "RuntimeService/PodSandboxStatus", &request.base,
			 &cri__pod_status_reply__descriptor);
	if (!reply || (reply->status && reply->status->metadata))
		return reply;
	fprintf(stderr, "cri-client: the runtime answers without a status of pod %s\n", id);
	return NULL;
}

static int podstatus_run(const struct cli_command *self, int argc, char **argv)
{
	const Cri__PodStatusReply *reply;
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, cri_no_options, 1, 1, argc, argv, &operands, &status))
		return status;
	if (!cri_open(&cri))
		return CLI_FAILED;
	reply = pod_status(&cri, operands.v[0]);
	if (!reply)
		return CLI_FAILED;
	printf("id=%s\nname=%s\nnamespace=%s\nuid=%s\nstate=%s\nip=%s\nhandler=%s\npid=%s\n",
	       reply->status->id, reply->status->metadata->name,
	       reply->status->metadata->namespace_, reply->status->metadata->uid,
	       state_name(reply->status->state),
	       reply->status->network ? reply->status->network->ip : "",
	       reply->status->runtime_handler,
	       cri_json_at(&cri, cri_info(reply->info, reply->n_info), "pid"));
	return CLI_DONE;
}

const struct cli_command cmd_podstatus = {
	.name = "podstatus",
	.operands = "POD",
	.summary = "print the status of a pod as key=value lines",
	.run = podstatus_run,
};

/*
 * The kubelet sends the same configuration again with every container. We are a new process each
 * time: most of it is in the pod's status, the rest in the JSON that containerd adds to it.
 */
Cri__PodConfig *cri_pod_config(struct cri *cri, const char *id)
{
	const Cri__PodStatusReply *reply = pod_status(cri, id);
	Cri__PodConfig *config = cri_alloc(cri, sizeof(*config));
	Cri__LinuxPod *linux_pod = cri_alloc(cri, sizeof(*linux_pod));
	Cri__PodSecurity *security = cri_alloc(cri, sizeof(*security));
	const char *info;

	if (!reply)
		return NULL;
	info = cri_info(reply->info, reply->n_info);
	cri__pod_config__init(config);
	cri__linux_pod__init(linux_pod);
	cri__pod_security__init(security);
	config->metadata = reply->status->metadata;
	config->labels = reply->status->labels;
	config->n_labels = reply->status->n_labels;
	config->annotations = reply->status->annotations;
	config->n_annotations = reply->status->n_annotations;
	config->hostname = pb(cri_json_at(cri, info, "config.hostname"));
	config->log_directory = pb(cri_json_at(cri, info, "config.log_directory"));
	config->on_linux = linux_pod;
	linux_pod->cgroup_parent = pb(cri_json_at(cri, info, "config.linux.cgroup_parent"));
	linux_pod->security = security;
	if (reply->status->on_linux && reply->status->on_linux->namespaces)
		security->namespaces = reply->status->on_linux->namespaces->options;
	return config;
}
