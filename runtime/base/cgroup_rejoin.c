/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/cgroup_rejoin.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

/* A dozen hierarchies with a path each; a line that is cut leads nowhere. */
#define MEMBERSHIPS_MAX 4095

bool cgroup_rejoin_file(char *line, char *ret, size_t size)
{
	const char *names, *named;

	(void)strsep(&line, ":");
	names = strsep(&line, ":");
	if (!names || !line || *line != '/' || strstr(line, "/.."))
		return false;
	named = str_after(names, "name=");
	return str_fmt(ret, size, "/sys/fs/cgroup/%s%s/cgroup.procs", named ? named : names, line);
}

bool cgroup_rejoin(void)
{
	char text[MEMBERSHIPS_MAX + 1], file[4096], *rest = text, *line;
	CLEANUP_FD int in = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	ssize_t n = in < 0 ? -1 : read(in, text, MEMBERSHIPS_MAX);

	text[n < 0 ? 0 : n] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		CLEANUP_FD int fd = -1;

		if (cgroup_rejoin_file(line, file, sizeof(file)))
			fd = open(file, O_WRONLY | O_CLOEXEC);
		/* "0": the writer itself. */
		if (fd >= 0 && write(fd, "0", 1) == 1)
			return true;
	}
	return false;
}
