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

/* Dots are slashes, unless there is a slash: then a dot is a dot, as in a VLAN's name. */
static bool path_of(const char *name, char *ret, size_t size)
{
	if (!str_copy(ret, size, name) || strstr(name, "..") || *name == '/')
		return false;
	for (char *c = strchr(name, '/') ? NULL : ret; c && *c; c++)
		if (*c == '.')
			*c = '/';
	return *ret != '\0';
}

static bool is_ours(const char *path, bool net, bool ipc)
{
	return (net && str_after(path, "net/")) || (ipc && is_of_ipc(path));
}

int pod_sysctl_set(const char *name, const char *value, bool net, bool ipc, struct err *err)
{
	char path[512], full[sizeof(path) + sizeof(PROC_SYS)];
	CLEANUP_FD int fd = -1;

	if (!path_of(name, path, sizeof(path)) || !is_ours(path, net, ipc))
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
