/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/distribution.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"

#define RANCHER "/var/lib/rancher/"
#define RANCHER_CONFIG "/agent/etc/containerd/config.toml"
#define RANCHER_SOCKET "/run/k3s/containerd/containerd.sock"
#define RANCHER_TEMPLATES                                 \
	{                                                 \
		"config-v3.toml.tmpl", "config.toml.tmpl" \
	}
#define SNAP "/var/snap/microk8s/"

/*
 * Where these come from: k3s' pkg/agent/containerd and pkg/agent/templates, RKE2's documentation of
 * its data directory, k0s' pkg/component/worker/containerd, microk8s' default-args and wrappers,
 * and nodeadm of the EKS images. RKE2 starts its containerd with k3s' code, and on k3s' socket.
 */
static const struct distribution rows[] = {
	{
		.name = "k3s",
		.title = "k3s",
		.socket = RANCHER_SOCKET,
		.config = RANCHER "k3s" RANCHER_CONFIG,
		.part = "/k3s" RANCHER_CONFIG,
		.program = RANCHER "k3s/data/current/bin/containerd",
		.sign = RANCHER "k3s/agent",
		.source = CONFIG_BY_TEMPLATE,
		.templates = RANCHER_TEMPLATES,
		.units = { "k3s", "k3s-agent" },
	},
	{
		.name = "rke2",
		.title = "RKE2",
		.socket = RANCHER_SOCKET,
		.config = RANCHER "rke2" RANCHER_CONFIG,
		.part = "/rke2" RANCHER_CONFIG,
		.program = RANCHER "rke2/bin/containerd",
		.sign = RANCHER "rke2/agent",
		.source = CONFIG_BY_TEMPLATE,
		.templates = RANCHER_TEMPLATES,
		.units = { "rke2-server", "rke2-agent" },
	},
	{
		.name = "k0s",
		.title = "k0s",
		.socket = "/run/k0s/containerd.sock",
		.config = "/etc/k0s/containerd.toml",
		.part = "/k0s/containerd.toml",
		.program = "/var/lib/k0s/bin/containerd",
		.sign = "/var/lib/k0s/bin",
		.source = CONFIG_BY_MERGE,
		.drop_ins = "containerd.d",
		.units = { "k0sworker", "k0scontroller" },
		.by_itself = true,
	},
	{
		.name = "microk8s",
		.title = "MicroK8s",
		.socket = SNAP "common/run/containerd.sock",
		.config = SNAP "current/args/containerd.toml",
		.part = "/microk8s/",
		.program = "/snap/microk8s/current/bin/containerd",
		.sign = SNAP "current/args",
		.source = CONFIG_BY_TEMPLATE,
		.templates = { NULL, "containerd-template.toml" },
		.restart = "snap restart microk8s.daemon-containerd",
	},
	{
		.name = "eks",
		.title = "Amazon EKS (nodeadm)",
		.socket = CONTAINERD_SOCKET,
		.config = CONTAINERD_CONFIG,
		.sign = "/usr/bin/nodeadm",
		.source = CONFIG_BY_BOOT,
		.units = { "containerd" },
	},
	{
		.name = "containerd",
		.title = "containerd by itself",
		.socket = CONTAINERD_SOCKET,
		.config = CONTAINERD_CONFIG,
		.source = CONFIG_BY_PERSON,
		.units = { "containerd" },
	},
};

const struct distribution *distributions(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(rows);
	return rows;
}

static const struct distribution *other(void)
{
	return &rows[ARRAY_SIZE(rows) - 1];
}

/* NULL in *@ret for no name. */
static int row_named(const char *name, const struct distribution **ret, struct err *err)
{
	char names[128] = "";

	*ret = NULL;
	for (size_t i = 0; name && i < ARRAY_SIZE(rows); i++) {
		size_t n = strlen(names);

		if (str_eq(rows[i].name, name)) {
			*ret = &rows[i];
			return 0;
		}
		(void)str_fmt(names + n, sizeof(names) - n, "%s%s", n ? ", " : "", rows[i].name);
	}
	if (!name)
		return 0;
	return err_set(err, ERR_INVALID, "no distribution \"%.60s\" is known; there are %s", name,
		       names);
}

/* --- recognising it -------------------------------------------------------------------------- */

static bool has_sign(const struct distribution *d)
{
	return d->sign && access(d->sign, F_OK) == 0;
}

static const struct distribution *row_of_config(const char *config)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].part && strstr(config, rows[i].part))
			return &rows[i];
	return NULL;
}

/* Of those that share it, the one that is installed, else the first; NULL when it is nobody's. */
static const struct distribution *row_of_socket(const char *socket)
{
	const struct distribution *first = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!str_eq(rows[i].socket, socket))
			continue;
		if (has_sign(&rows[i]))
			return &rows[i];
		if (!first && (rows[i].part || &rows[i] == other()))
			first = &rows[i];
	}
	return first;
}

static const struct distribution *row_of(const char *socket, const char *config)
{
	const struct distribution *d = row_of_config(config);

	d = d ? d : row_of_socket(socket);
	return d ? d : other();
}

/* A node may have a containerd of its own besides, of Docker for instance. */
static const struct distribution *row_installed(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (has_sign(&rows[i]))
			return &rows[i];
	return other();
}

/* The first whose containerd answers, else the first that is installed. */
static const char *socket_found(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (access(rows[i].socket, F_OK) == 0 && containerd_listener(rows[i].socket))
			return rows[i].socket;
	return row_installed()->socket;
}

int installation_socket(const char *name, const char *socket, const char **ret, struct err *err)
{
	const struct distribution *d;

	if (row_named(name, &d, err) < 0)
		return -1;
	*ret = socket ? socket : d ? d->socket : socket_found();
	return 0;
}

/* --- restarting it --------------------------------------------------------------------------- */

static bool is_unit_of(const struct distribution *d, const char *unit)
{
	for (size_t i = 0; i < ARRAY_SIZE(d->units) && d->units[i]; i++)
		if (str_eq(unit, d->units[i]))
			return true;
	/* People number them, and k3s names them on request. */
	return strstr(unit, d->name) != NULL;
}

/* The service that the process belongs to, by its cgroup: containerd runs in the one of k3s. */
static bool unit_of_process(const struct distribution *d, pid_t pid, char *ret, size_t size)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1u << 16);
	char path[64], *part, *save = NULL;
	struct err ignored;

	(void)str_fmt(path, sizeof(path), "/proc/%d/cgroup", pid);
	if (!pid || file_read(AT_FDCWD, path, &text, &ignored) < 0 || !text.len)
		return false;
	for (part = strtok_r((char *)text.data, "/:\n", &save); part;
	     part = strtok_r(NULL, "/:\n", &save)) {
		char *end = strrchr(part, '.');

		if (!end || !str_eq(end, ".service"))
			continue;
		*end = '\0';
		if (is_unit_of(d, part) && str_copy(ret, size, part))
			return true;
	}
	return false;
}

static bool has_unit_file(const char *unit)
{
	static const char *const dirs[] = { "/etc/systemd/system", "/usr/local/lib/systemd/system",
					    "/usr/lib/systemd/system", "/lib/systemd/system",
					    "/etc/init.d" };
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (str_fmt(path, sizeof(path), "%s/%s%s", dirs[i], unit,
			    strstr(dirs[i], "systemd") ? ".service" : "") &&
		    access(path, F_OK) == 0)
			return true;
	return false;
}

static void find_unit(const struct installation *n, char *ret, size_t size)
{
	const struct distribution *d = n->distribution;

	if (unit_of_process(d, n->containerd.pid, ret, size))
		return;
	(void)str_copy(ret, size, d->units[0]);
	for (size_t i = 0; i < ARRAY_SIZE(d->units) && d->units[i]; i++)
		if (has_unit_file(d->units[i])) {
			(void)str_copy(ret, size, d->units[i]);
			return;
		}
}

/* OpenRC's way where systemd is not in charge: k3s runs on Alpine as well. */
static void find_restart(struct installation *n)
{
	char unit[80], ignored[PATH_MAX];
	bool openrc = access("/run/systemd/system", F_OK) < 0 &&
		      path_search("/usr/sbin:/sbin:/usr/bin:/bin", "rc-service", ignored,
				  sizeof(ignored));

	if (n->distribution->restart) {
		(void)str_copy(n->restart, sizeof(n->restart), n->distribution->restart);
		return;
	}
	find_unit(n, unit, sizeof(unit));
	(void)str_fmt(n->restart, sizeof(n->restart),
		      openrc ? "rc-service %s restart" : "systemctl restart %s", unit);
}

/* --- the node -------------------------------------------------------------------------------- */

void installation_deinit(struct installation *n)
{
	containerd_deinit(&n->containerd);
}

int installation_find(const char *name, const char *socket, struct installation *ret,
		      struct err *err)
{
	const struct distribution *d;

	*ret = (struct installation){ .distribution = NULL };
	if (row_named(name, &d, err) < 0 ||
	    installation_socket(name, socket, &ret->socket, err) < 0)
		return -1;
	if (containerd_running(ret->socket, &ret->containerd)) {
		ret->distribution = d ? d : row_of(ret->socket, ret->containerd.config);
	} else {
		ret->distribution = d ? d : row_of(ret->socket, "");
		if (containerd_installed(ret->socket, ret->distribution->program, &ret->containerd,
					 err) < 0)
			return -1;
	}
	if (!ret->containerd.config[0])
		(void)str_copy(ret->containerd.config, sizeof(ret->containerd.config),
			       ret->distribution->config);
	find_restart(ret);
	return 0;
}
