/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/register.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/fd.h"

static int write_to(int dirfd, const char *name, const char *text, struct err *err)
{
	CLEANUP_FD int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (n >= 0)
		return 0;
	if (errno == EEXIST)
		return err_set(err, ERR_EXISTS, "the kernel has a handler of that name");
	if (errno == EACCES || errno == EPERM || errno == EROFS)
		return err_sys(err, ERR_IO, "write binfmt_misc's %s (this needs root on the node)",
			       name);
	return err_sys(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "write binfmt_misc's %s",
		       name);
}

int register_handler(int dirfd, const char *line, struct err *err)
{
	return write_to(dirfd, "register", line, err);
}

int unregister_handler(int dirfd, const char *name, bool *ret_removed, struct err *err)
{
	*ret_removed = faccessat(dirfd, name, F_OK, 0) == 0;
	return *ret_removed ? write_to(dirfd, name, "-1", err) : 0;
}
