/* SPDX-License-Identifier: Apache-2.0 */
/* CreateContainer: the kubelet's configuration of a container, from options. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "tests/tools/cri/cri.h"

struct create {
	const char *name, *workdir, *termination_root, *termination_path, *seccomp, *cpuset,
		*log_dir;
	const char *cgroup_parent; /* NULL: as the pod's status tells */
	uint64_t attempt, memory, cpu_shares, cpu_quota, cpu_period, oom_score_adj, user, group;
	struct cli_list envs, annotations, labels, mounts, image_mounts, args, cap_add, cap_drop;
	struct cli_list groups;
	bool image_user, tty, stdin, stdin_once, privileged, readonly, no_new_privs;
};

#define NO_ID UINT64_MAX

struct create_parts {
	Cri__CreateRequest request;
	Cri__ContainerConfig config;
	Cri__ContainerMetadata metadata;
	Cri__ImageSpec image;
	Cri__LinuxContainer on_linux;
	Cri__Resources resources;
	Cri__ContainerSecurity security;
	Cri__Capability capabilities;
	Cri__Profile seccomp;
	Cri__Int64 user, group, no_user;
	Cri__Mount *mounts[2 * CLI_LIST_MAX + 1];
	int64_t groups[CLI_LIST_MAX];
	struct cri_pairs envs, annotations, labels;
};

static void parts_init(struct create_parts *p)
{
	memset(p, 0, sizeof(*p));
	cri__create_request__init(&p->request);
	cri__container_config__init(&p->config);
	cri__container_metadata__init(&p->metadata);
	cri__image_spec__init(&p->image);
	cri__linux_container__init(&p->on_linux);
	cri__resources__init(&p->resources);
	cri__container_security__init(&p->security);
	cri__capability__init(&p->capabilities);
	cri__int64__init(&p->user);
	cri__int64__init(&p->group);
	cri__int64__init(&p->no_user);
	p->config.mounts = p->mounts;
}

/* @how: NULL, "ro", or "rro" for recursiveReadOnly: Enabled, which includes the former. */
static void add_mount(struct cri *cri, struct create_parts *p, const char *host,
		      const char *container, const char *how)
{
	Cri__Mount *mount = cri_alloc(cri, sizeof(*mount));

	cri__mount__init(mount);
	mount->host_path = pb(host);
	mount->container_path = pb(container);
	mount->readonly = how != NULL;
	mount->recursive_read_only = how && str_eq(how, "rro");
	p->mounts[p->config.n_mounts++] = mount;
}

/* "HOST:CONTAINER[:ro|rro]" */
static bool parse_mount(struct cri *cri, struct create_parts *p, const char *text)
{
	char *rest = cri_text(cri, "%s", text);
	const char *host = strsep(&rest, ":"), *container = strsep(&rest, ":");

	if (!container || *host != '/' || *container != '/' ||
	    (rest && !str_eq(rest, "ro") && !str_eq(rest, "rro")))
		return false;
	add_mount(cri, p, host, container, rest);
	return true;
}

/* "IMAGE:CONTAINER": the kubelet has pulled it by now. */
static bool parse_image_mount(struct cri *cri, struct create_parts *p, const char *text)
{
	char *image = cri_text(cri, "%s", text), *container = strstr(image, ":/");
	Cri__ImageSpec *spec = cri_alloc(cri, sizeof(*spec));

	if (!container)
		return false;
	*container++ = 0;
	cri__image_spec__init(spec);
	spec->image = image;
	add_mount(cri, p, "", container, "ro");
	p->mounts[p->config.n_mounts - 1]->image = spec;
	return true;
}

/* What the kubelet mounts for terminationMessagePath: an empty file of a random name below its
 * root. */
static bool add_termination(struct cri *cri, struct create_parts *p, const struct create *o,
			    const char *uid, const struct cli_command *self)
{
	const char *dir =
		cri_text(cri, "%s/pods/%s/containers/%s", o->termination_root, uid, o->name);
	CLEANUP_FD int fd = -1;
	struct err err = ERR_INIT;
	uint32_t number = 0;
	const char *path;

	if (dir_make(dir, 0755, &err) < 0) {
		cli_fail(self, "%s", err.text);
		return false;
	}
	(void)!getrandom(&number, sizeof(number), 0);
	path = cri_text(cri, "%s/%08x", dir, number);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 || fchmod(fd, 0666) < 0) {
		cli_fail(self, "create %s: %s", path, strerror(errno));
		return false;
	}
	add_mount(cri, p, path, o->termination_path, NULL);
	return true;
}

static bool fill_mounts(struct cri *cri, struct create_parts *p, const struct create *o,
			const char *uid, const struct cli_command *self)
{
	for (size_t i = 0; i < o->mounts.n; i++) {
		if (!parse_mount(cri, p, o->mounts.item[i])) {
			cli_usage(self, "--mount \"%s\" is not HOST:CONTAINER[:ro|rro]",
				  o->mounts.item[i]);
			return false;
		}
	}
	for (size_t i = 0; i < o->image_mounts.n; i++) {
		if (!parse_image_mount(cri, p, o->image_mounts.item[i])) {
			cli_usage(self, "--mount-image \"%s\" is not IMAGE:CONTAINER",
				  o->image_mounts.item[i]);
			return false;
		}
	}
	return !o->termination_root || add_termination(cri, p, o, uid, self);
}

static bool fill_pairs(struct cri *cri, struct create_parts *p, const struct create *o,
		       const struct cli_command *self)
{
	if (!cri_pairs_parse(cri, &p->envs, self, &o->envs) ||
	    !cri_pairs_parse(cri, &p->annotations, self, &o->annotations) ||
	    !cri_pairs_parse(cri, &p->labels, self, &o->labels))
		return false;
	cri_pairs_add(cri, &p->labels, "io.kubernetes.container.name", o->name);
	if (o->termination_root)
		cri_pairs_add(cri, &p->annotations,
			      "io.kubernetes.container.terminationMessagePath",
			      o->termination_path);
	p->config.envs = p->envs.v;
	p->config.n_envs = p->envs.n;
	p->config.annotations = p->annotations.v;
	p->config.n_annotations = p->annotations.n;
	p->config.labels = p->labels.v;
	p->config.n_labels = p->labels.n;
	return true;
}

static bool fill_groups(struct create_parts *p, const struct create *o,
			const struct cli_command *self)
{
	struct err err = ERR_INIT;

	for (size_t i = 0; i < o->groups.n; i++) {
		uint64_t group;

		if (str_u64(o->groups.item[i], "--supplemental-group", UINT32_MAX, &group, &err) <
		    0) {
			cli_usage(self, "%s", err.text);
			return false;
		}
		p->groups[i] = (int64_t)group;
	}
	p->security.supplemental_groups = p->groups;
	p->security.n_supplemental_groups = o->groups.n;
	return true;
}

static bool fill_security(struct create_parts *p, const struct create *o,
			  const struct cli_command *self)
{
	Cri__ContainerSecurity *s = &p->security;

	if (o->seccomp && !cri_profile_parse(o->seccomp, &p->seccomp)) {
		cli_usage(self, "--seccomp is runtime/default, unconfined or a path");
		return false;
	}
	s->seccomp = o->seccomp ? &p->seccomp : NULL;
	s->privileged = o->privileged;
	s->readonly_rootfs = o->readonly;
	s->no_new_privs = o->no_new_privs;
	p->capabilities.add = (char **)(uintptr_t)o->cap_add.item;
	p->capabilities.n_add = o->cap_add.n;
	p->capabilities.drop = (char **)(uintptr_t)o->cap_drop.item;
	p->capabilities.n_drop = o->cap_drop.n;
	s->capabilities = &p->capabilities;
	p->user.value = (int64_t)o->user;
	p->group.value = (int64_t)o->group;
	s->run_as_user = o->user == NO_ID ? NULL : &p->user;
	s->run_as_group = o->group == NO_ID ? NULL : &p->group;
	return fill_groups(p, o, self);
}

/* A pod that names no user gets the image's, of which the kubelet asks (kuberuntime,
 * getImageUser()). */
static bool fill_image_user(struct cri *cri, struct create_parts *p, const char *name)
{
	const Cri__Image *image = cri_image(cri, name);

	if (!image)
		return false;
	if (image->uid)
		p->security.run_as_user = image->uid;
	else if (*image->username)
		p->security.run_as_username = image->username;
	else
		p->security.run_as_user = &p->no_user;
	return true;
}

static void fill_linux(struct create_parts *p, const struct create *o)
{
	p->resources.memory_limit = (int64_t)o->memory;
	p->resources.cpu_shares = (int64_t)o->cpu_shares;
	p->resources.cpu_quota = (int64_t)o->cpu_quota;
	p->resources.cpu_period = (int64_t)o->cpu_period;
	p->resources.oom_score_adj = (int64_t)o->oom_score_adj;
	p->resources.cpuset_cpus = pb(o->cpuset);
	p->on_linux.resources = &p->resources;
	p->on_linux.security = &p->security;
	p->config.on_linux = &p->on_linux;
}

static void fill_config(struct cri *cri, struct create_parts *p, const struct create *o,
			const struct cli_operands *operands)
{
	p->metadata.name = pb(o->name);
	p->metadata.attempt = (uint32_t)o->attempt;
	p->image.image = operands->v[1];
	p->config.metadata = &p->metadata;
	p->config.image = &p->image;
	p->config.command = operands->v + 2;
	p->config.n_command = operands->n - 2;
	p->config.args = (char **)(uintptr_t)o->args.item;
	p->config.n_args = o->args.n;
	p->config.working_dir = pb(o->workdir);
	p->config.tty = o->tty;
	p->config.stdin = o->stdin;
	p->config.stdin_once = o->stdin_once;
	p->config.log_path = cri_text(cri, "%s/%u.log", o->name, (unsigned int)o->attempt);
}

/* The kubelet makes the container's log directory; the runtime opens the file in it. */
static bool make_log_dir(struct cri *cri, const Cri__PodConfig *pod, const struct create *o,
			 const struct cli_command *self)
{
	struct err err = ERR_INIT;

	if (!*pod->log_directory)
		return true;
	if (dir_make(cri_text(cri, "%s/%s", pod->log_directory, o->name), 0755, &err) == 0)
		return true;
	cli_fail(self, "%s", err.text);
	return false;
}

static int send_create(struct cri *cri, const struct cli_command *self, const struct create *o,
		       const struct cli_operands *operands)
{
	Cri__PodConfig *pod = cri_pod_config(cri, operands->v[0]);
	const Cri__IdReply *reply;
	struct create_parts p;

	parts_init(&p);
	if (pod && o->log_dir)
		pod->log_directory = pb(o->log_dir);
	if (!pod || !make_log_dir(cri, pod, o, self))
		return CLI_FAILED;
	if (!fill_pairs(cri, &p, o, self) || !fill_mounts(cri, &p, o, pod->metadata->uid, self) ||
	    !fill_security(&p, o, self))
		return CLI_USAGE;
	if (o->image_user && o->user == NO_ID && !fill_image_user(cri, &p, operands->v[1]))
		return CLI_FAILED;
	fill_config(cri, &p, o, operands);
	fill_linux(&p, o);
	if (o->cgroup_parent)
		pod->on_linux->cgroup_parent = pb(o->cgroup_parent);
	p.security.namespaces = pod->on_linux->security->namespaces;
	/* A pod's status does not say whether it may hold privileged containers. */
	pod->on_linux->security->privileged = o->privileged;
	p.request.pod_id = operands->v[0];
	p.request.config = &p.config;
	p.request.sandbox_config = pod;
	reply = cri_call(cri, "RuntimeService/CreateContainer", &p.request.base,
			 &cri__id_reply__descriptor);
	if (!reply)
		return CLI_FAILED;
	puts(reply->id);
	return CLI_DONE;
}

static int create_run(const struct cli_command *self, int argc, char **argv)
{
	struct create o = {
		.name = "main",
		.workdir = "",
		.cpuset = "",
		.termination_path = "/dev/termination-log",
		.cpu_shares = 2,       /* the kubelet's for a container without requests */
		.oom_score_adj = 1000, /* likewise, best effort */
		.user = NO_ID,
		.group = NO_ID,
	};
	const struct cli_option options[] = {
		{ "name", 0, CLI_STRING, &o.name, "NAME", "container name (main)" },
		{ "attempt", 0, CLI_NUMBER, &o.attempt, "N", "attempt (0)" },
		{ "env", 'e', CLI_LIST, &o.envs, "K=V", "environment variable" },
		{ "annotation", 0, CLI_LIST, &o.annotations, "K=V", "annotation" },
		{ "label", 0, CLI_LIST, &o.labels, "K=V", "label" },
		{ "arg", 0, CLI_LIST, &o.args, "ARG", "args: with the image's entrypoint" },
		{ "cgroup-parent", 0, CLI_STRING, &o.cgroup_parent, "PATH",
		  "the pod's, where its status does not tell" },
		{ "workdir", 'w', CLI_STRING, &o.workdir, "DIR", "working directory" },
		{ "tty", 0, CLI_FLAG, &o.tty, NULL, "tty: true" },
		{ "stdin", 0, CLI_FLAG, &o.stdin, NULL, "stdin: true" },
		{ "stdin-once", 0, CLI_FLAG, &o.stdin_once, NULL, "stdinOnce: true" },
		{ "log-dir", 0, CLI_STRING, &o.log_dir, "DIR",
		  "the pod's log directory, where its status does not say" },
		{ "mount", 0, CLI_LIST, &o.mounts, "HOST:CTR[:ro|rro]",
		  "bind mount, read-only, recursively" },
		{ "mount-image", 0, CLI_LIST, &o.image_mounts, "IMAGE:CTR",
		  "volume of type image" },
		{ "termination-root", 0, CLI_STRING, &o.termination_root, "DIR",
		  "the kubelet's root: pods/UID/containers/NAME/ in it gets the message file" },
		{ "termination-path", 0, CLI_STRING, &o.termination_path, "PATH",
		  "terminationMessagePath (/dev/termination-log)" },
		{ "memory", 0, CLI_NUMBER, &o.memory, "BYTES", "memory limit" },
		{ "cpu-shares", 0, CLI_NUMBER, &o.cpu_shares, "N", "CPU shares (2)" },
		{ "cpu-quota", 0, CLI_NUMBER, &o.cpu_quota, "US", "CPU quota per period" },
		{ "cpu-period", 0, CLI_NUMBER, &o.cpu_period, "US", "CPU period" },
		{ "cpuset", 0, CLI_STRING, &o.cpuset, "CPUS", "allowed CPUs" },
		{ "oom-score-adj", 0, CLI_NUMBER, &o.oom_score_adj, "N", "OOM score (1000)" },
		{ "user", 'u', CLI_NUMBER, &o.user, "UID", "runAsUser" },
		{ "group", 0, CLI_NUMBER, &o.group, "GID", "runAsGroup" },
		{ "image-user", 0, CLI_FLAG, &o.image_user, NULL,
		  "without --user: send the user of the image, as the kubelet does" },
		{ "supplemental-group", 0, CLI_LIST, &o.groups, "GID",
		  "supplementalGroups; the kubelet adds fsGroup to them" },
		{ "privileged", 0, CLI_FLAG, &o.privileged, NULL, "privileged: true" },
		{ "readonly", 0, CLI_FLAG, &o.readonly, NULL, "readOnlyRootFilesystem: true" },
		{ "no-new-privs", 0, CLI_FLAG, &o.no_new_privs, NULL,
		  "allowPrivilegeEscalation: false" },
		{ "cap-add", 0, CLI_LIST, &o.cap_add, "CAP", "capability to add" },
		{ "cap-drop", 0, CLI_LIST, &o.cap_drop, "CAP", "capability to drop" },
		{ "seccomp", 0, CLI_STRING, &o.seccomp, "PROFILE",
		  "runtime/default, unconfined or a path (unconfined)" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, options, 2, SIZE_MAX, argc, argv, &operands, &status))
		return status;
	return cri_open(&cri) ? send_create(&cri, self, &o, &operands) : CLI_FAILED;
}

const struct cli_command cmd_create = {
	.name = "create",
	.operands = "POD IMAGE [-- CMD ARGS]",
	.summary = "create a container in a pod and print its id",
	.text = "Without CMD the image's own entrypoint and command are used.\n",
	.run = create_run,
};
