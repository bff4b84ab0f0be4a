/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/oom.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"

/* memory.events has a handful of short lines. */
#define EVENTS_MAX 4096

/* --- v1 ----------------------------------------------------------------------------------- */

/* The registration holds on to the cgroup's event, not to the two descriptors it names. */
static int register_eventfd(struct oom *oom, struct err *err)
{
	CLEANUP_FD int memory = openat(oom->dir, "memory.oom_control", O_RDONLY | O_CLOEXEC);
	CLEANUP_FD int control = openat(oom->dir, "cgroup.event_control", O_WRONLY | O_CLOEXEC);
	char line[32];

	oom->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (memory < 0 || control < 0 || oom->fd < 0)
		return err_sys(err, ERR_IO, "OOM events");
	str_fmt(line, sizeof(line), "%d %d", oom->fd, memory);
	if (write(control, line, strlen(line)) < 0)
		return err_sys(err, ERR_IO, "register for OOM events");
	return 0;
}

/* The removal of the cgroup signals the eventfd too; its directory is empty by then. */
static void on_eventfd(struct source *src)
{
	struct oom *oom = container_of(src, struct oom, source);
	uint64_t n;

	if (read(src->fd, &n, sizeof(n)) < 0)
		return;
	if (faccessat(oom->dir, "cgroup.event_control", F_OK, 0) < 0)
		oom_deinit(oom);
	else
		oom->on_oom(oom);
}

/* --- v2 ----------------------------------------------------------------------------------- */

/* The oom_kill count of memory.events; false when the file is gone. */
static bool read_kills(const struct oom *oom, uint64_t *ret)
{
	CLEANUP_BUF struct buf text = BUF_INIT(EVENTS_MAX);
	struct err ignored;
	char *rest, *line;

	if (file_read(oom->dir, "memory.events", &text, &ignored) < 0 || !text.len)
		return false;
	*ret = 0;
	rest = (char *)text.data;
	while ((line = strsep(&rest, "\n"))) {
		const char *count = str_after(line, "oom_kill ");

		if (count)
			*ret = strtoull(count, NULL, 10);
	}
	return true;
}

static int watch_file(struct oom *oom, struct err *err)
{
	char path[48];

	oom->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (oom->fd < 0)
		return err_sys(err, ERR_IO, "inotify");
	str_fmt(path, sizeof(path), "/proc/self/fd/%d/memory.events", oom->dir);
	if (inotify_add_watch(oom->fd, path, IN_MODIFY) < 0)
		return err_sys(err, ERR_IO, "watch memory.events");
	/* Read only now: a kill before this line is counted, one after it wakes us. */
	if (!read_kills(oom, &oom->kills))
		return err_set(err, ERR_NOT_FOUND, "the cgroup has no memory.events");
	return 0;
}

/* Any count in memory.events may have changed; the watch itself ends with the cgroup. */
static void on_inotify(struct source *src)
{
	struct oom *oom = container_of(src, struct oom, source);
	char events[1024];
	uint64_t before = oom->kills;

	while (read(src->fd, events, sizeof(events)) > 0)
		;
	if (!read_kills(oom, &oom->kills))
		oom_deinit(oom);
	else if (oom->kills > before)
		oom->on_oom(oom);
}

/* --- both --------------------------------------------------------------------------------- */

static void close_all(struct oom *oom)
{
	fd_close(&oom->fd);
	fd_close(&oom->dir);
}

int oom_watch(struct oom *oom, struct loop *loop, const struct cgroup *cg,
	      void (*on_oom)(struct oom *), struct err *err)
{
	int r;

	*oom = (struct oom){ .fd = -1,
			     .dir = cgroup_dir_open(cg, CGROUP_MEMORY),
			     .on_oom = on_oom };
	if (oom->dir < 0)
		return err_sys(err, ERR_NOT_FOUND, "the cgroup's memory controller");
	r = cg->unified ? watch_file(oom, err) : register_eventfd(oom, err);
	if (r == 0)
		r = source_init(&oom->source, loop, oom->fd, EPOLLIN,
				cg->unified ? on_inotify : on_eventfd, err);
	if (r < 0)
		close_all(oom);
	return r;
}

void oom_check(struct oom *oom)
{
	if (oom->source.loop)
		oom->source.on_ready(&oom->source);
}

void oom_deinit(struct oom *oom)
{
	if (!oom->source.loop)
		return;
	source_deinit(&oom->source);
	close_all(oom);
}
