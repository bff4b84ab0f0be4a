/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/host_root.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "runtime/cli/distribution.h"
#include "runtime/prepare/client.h"

/* Above all descriptors that a program is started with (runtime/prepare/client.h). */
#define FIRST_FD 64

static bool is_below(const char *root, const char *socket)
{
	char there[PATH_MAX];

	return *socket == '/' && str_fmt(there, sizeof(there), "%s%s", root, socket) &&
	       access(there, F_OK) == 0;
}

/* Nothing is told: the socket of any distribution. */
static bool any_is_below(const char *root)
{
	size_t n;
	const struct distribution *all = distributions(&n);

	for (size_t i = 0; i < n; i++)
		if (is_below(root, all[i].socket))
			return true;
	return false;
}

static bool is_elsewhere(bool told, const char *socket)
{
	if (told)
		return !is_below("", socket) && is_below(HOST_ROOT, socket);
	return !any_is_below("") && any_is_below(HOST_ROOT);
}

static int enter(struct host_root *ret, struct err *err)
{
	CLEANUP_FD int fd = -1;
	char path[PATH_MAX];

	if (prepare_find(path, err) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		ret->fd = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
	if (ret->fd < 0)
		return err_sys(err, ERR_IO, "open %.200s", path);
	(void)str_fmt(ret->prepare, sizeof(ret->prepare), "/proc/self/fd/%d", ret->fd);
	if (chroot(HOST_ROOT) < 0 || chdir("/") < 0)
		return err_sys(err, ERR_PRECONDITION,
			       "containerd's socket is below " HOST_ROOT
			       ", which cannot be made the root (kubectl debug needs "
			       "--profile=sysadmin)");
	if (access(ret->prepare, X_OK) < 0)
		return err_sys(err, ERR_PRECONDITION,
			       HOST_ROOT " has no /proc of our process ids (hostPID: true)");
	return 0;
}

int host_root_enter(const char *distribution, const char **socket, struct host_root *ret,
		    struct err *err)
{
	const char *told = *socket;

	if (installation_socket(distribution, told, socket, err) < 0)
		return -1;
	if (!is_elsewhere(told || distribution, *socket))
		return 0;
	if (enter(ret, err) < 0)
		return -1;
	return installation_socket(distribution, told, socket, err);
}
