/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/cgroup_mover.h"

#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "runtime/base/log.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"

/* A dozen hierarchies with a path each; a line that is cut leads nowhere. */
#define MEMBERSHIPS_MAX 4095
#define END_BOUND_MS 1000

bool grace_file(char *line, char *ret, size_t size)
{
	const char *names, *named;

	(void)strsep(&line, ":");
	names = strsep(&line, ":");
	if (!names || !line || *line != '/' || strstr(line, "/.."))
		return false;
	named = str_after(names, "name=");
	return str_fmt(ret, size, "/sys/fs/cgroup/%s%s/cgroup.procs", named ? named : names, line);
}

int cgroup_mover_run(void *unused)
{
	char text[MEMBERSHIPS_MAX + 1], file[4096], *rest = text, *line;
	CLEANUP_FD int in = -1;
	ssize_t n;

	(void)unused;
	(void)prctl(PR_SET_NAME, CGROUP_MOVER_NAME);
	in = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	n = in < 0 ? -1 : read(in, text, MEMBERSHIPS_MAX);
	text[n < 0 ? 0 : n] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		CLEANUP_FD int fd = -1;

		if (grace_file(line, file, sizeof(file)))
			fd = open(file, O_WRONLY | O_CLOEXEC);
		/* "0": the writer itself. */
		if (fd >= 0 && write(fd, "0", 1) == 1)
			break;
	}
	return 0;
}

static void on_moved(struct child *c, const struct exit_status *status)
{
	(void)c;
	(void)status;
}

void cgroup_mover_expect(struct cgroup_mover *g, struct reaper *reaper)
{
	struct err err;

	if (g->mover.pidfd.loop)
		return;
	if (child_fork(&g->mover, reaper, cgroup_mover_run, NULL, on_moved, &err) < 0)
		log_debug(NULL, "%s", err.text);
}

void cgroup_mover_end(struct cgroup_mover *g)
{
	child_end(&g->mover, END_BOUND_MS);
}
