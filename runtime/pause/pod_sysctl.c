/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/pause/pod_sysctl.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"

#define PROC_SYS "/proc/sys/"

/* In the form with slashes. Of an IPC namespace: ipc_namespaces(7). */
static const char *const of_ipc[] = {
	"kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/sem",
	"kernel/shmall", "kernel/shmmax", "kernel/shmmni", "kernel/shm_rmid_forced",
};

static bool is_of_ipc(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(of_ipc); i++)
		if (str_eq(path, of_ipc[i]))
			return true;
	return str_after(path, "fs/mqueue/") != NULL;
}

/* Both separators change places if the first one is a dot. */
static bool to_slashes(const char *name, char ret[POD_SYSCTL_MAX])
{
	if (!str_copy(ret, POD_SYSCTL_MAX, name))
		return false;
	if (name[strcspn(name, "./")] != '.')
		return true;
	for (char *c = ret; *c; c++)
		if (*c == '.' || *c == '/')
			*c = *c == '.' ? '/' : '.';
	return true;
}

/* Nothing leads out of /proc/sys, and nothing is written in two ways. */
static bool is_plain(const char *path)
{
	for (const char *part = path;; part++) {
		size_t n = strcspn(part, "/");

		if (!n || strspn(part, ".") == n)
			return false;
		part += n;
		if (!*part)
			return true;
	}
}

static bool is_theirs(const char *path, const struct pod_namespaces *n)
{
	if (str_after(path, "net/"))
		return n->net || n->new_net;
	if (str_eq(path, "kernel/domainname"))
		return n->uts;
	return n->ipc && is_of_ipc(path);
}

bool pod_sysctl_path(const char *name, const struct pod_namespaces *n, char ret[POD_SYSCTL_MAX])
{
	return to_slashes(name, ret) && is_plain(ret) && is_theirs(ret, n);
}

int pod_sysctl_set(const char *name, const char *value, const struct pod_namespaces *n,
		   struct err *err)
{
	char path[POD_SYSCTL_MAX], full[sizeof(path) + sizeof(PROC_SYS)];
	CLEANUP_FD int fd = -1;

	if (!pod_sysctl_path(name, n, path))
		return err_set(err, ERR_INVALID,
			       "the kernel parameter \"%.100s\" is not one of the pod's namespaces",
			       name);
	(void)str_fmt(full, sizeof(full), PROC_SYS "%s", path);
	fd = open(full, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || fd_write_all(fd, value, strlen(value)) < 0)
		return err_sys(err, ERR_INVALID, "set the kernel parameter %.100s to \"%.100s\"",
			       name, value);
	return 0;
}
