/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a cgroup. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "shim/host/cgroup_walk.h"

/* The hierarchy that answers for all of them: every runtime puts a container into these. */
static int open_listed(const struct cgroup *cg, struct err *err)
{
	static const uint8_t order[] = { CGROUP_DEVICES, CGROUP_PIDS,	 CGROUP_MEMORY, CGROUP_CPU,
					 CGROUP_FREEZER, CGROUP_SYSTEMD, CGROUP_UNIFIED };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		int fd = cgroup_dir_open(cg, order[i]);

		if (fd >= 0)
			return fd;
		if (errno != ENOENT)
			return err_sys(err, ERR_IO, "open cgroup %s", cgroup_dir(cg, order[i]));
	}
	return err_set(err, ERR_NOT_FOUND, "cgroup does not exist");
}

/* The process ids in the text of a cgroup.procs, appended to @pids as an array of pid_t. */
static int add_pids(struct buf *pids, const char *text, struct err *err)
{
	while (*text) {
		char *end;
		pid_t pid = (pid_t)strtol(text, &end, 10);

		if (end == text)
			return 0;
		if (pid > 0 && buf_add(pids, &pid, sizeof(pid), err) < 0)
			return -1;
		text = *end ? end + 1 : end;
	}
	return 0;
}

static int list_procs(int dir, struct buf *pids, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(CGROUP_PIDS_MAX);

	/* ENODEV: removed meanwhile. EOPNOTSUPP: a threaded cgroup; its parent lists the process.
	 */
	if (file_read(dir, "cgroup.procs", &text, err) < 0)
		return err->errnum == ENODEV || err->errnum == EOPNOTSUPP ||
				       err->code == ERR_NOT_FOUND
			       ? 0
			       : -1;
	return add_pids(pids, buf_str(&text), err);
}

/* Appends the subdirectories of @dir, named @prefix, as strings to @queue. Takes @dir. */
static int add_subdirs(int dir_take, const char *prefix, struct buf *queue, struct err *err)
{
	DIR *d = fdopendir(dir_take);
	const struct dirent *e;
	int r = 0;

	if (!d) {
		close(dir_take);
		return err_sys(err, ERR_IO, "list a cgroup");
	}
	while (r == 0 && (e = readdir(d)))
		if (e->d_type == DT_DIR && !str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			r = buf_printf(queue, err, "%s/%s%c", prefix, e->d_name, '\0');
	closedir(d);
	return r;
}

/*
 * Breadth first with a queue of paths below @top, "" for itself: no recursion, whatever depth a
 * container made. @path may move with the queue, so it is copied.
 */
int cgroup_walk(int top, struct buf *pids, struct buf *queue, struct err *err)
{
	size_t at = 0;

	if (buf_add(queue, "", 1, err) < 0)
		return -1;
	while (at < queue->len) {
		CLEANUP_FREE char *path = strdup((char *)queue->data + at);
		int dir;

		if (!path)
			return err_set(err, ERR_NOMEM, "no memory for a path");
		at += strlen(path) + 1;
		dir = openat(top, *path ? path + 1 : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			continue;
		if (list_procs(dir, pids, err) < 0) {
			close(dir);
			return -1;
		}
		if (add_subdirs(dir, path, queue, err) < 0)
			return -1;
	}
	return 0;
}

int cgroup_pids(const struct cgroup *cg, pid_t **ret, size_t *ret_n, struct err *err)
{
	CLEANUP_BUF struct buf queue = BUF_INIT(CGROUP_PATHS_MAX);
	struct buf pids = BUF_INIT(CGROUP_PIDS_MAX);
	CLEANUP_FD int top = open_listed(cg, err);

	if (top < 0 || cgroup_walk(top, &pids, &queue, err) < 0) {
		buf_deinit(&pids);
		return -1;
	}
	*ret_n = pids.len / sizeof(pid_t);
	*ret = (pid_t *)(void *)pids.data;
	return 0;
}
