/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a cgroup: listing and killing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "shim/host/cgroup.h"
#include "shim/host/mountinfo.h"

/* A container can make cgroups of its own: what it can make us remember is bounded. */
#define SUBDIRS_MAX ((size_t)1 << 20)
#define PIDS_MAX ((size_t)4 << 20)
#define KILL_ROUNDS 100

/* The hierarchy that answers for all of them: every runtime puts a container into these. */
static int open_listed(const struct cgroup *cg, const char **ret_dir, struct err *err)
{
	static const uint8_t order[] = { CGROUP_DEVICES, CGROUP_PIDS,	 CGROUP_MEMORY, CGROUP_CPU,
					 CGROUP_FREEZER, CGROUP_SYSTEMD, CGROUP_UNIFIED };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		int fd = cgroup_dir_open(cg, order[i]);

		*ret_dir = cgroup_dir(cg, order[i]);
		if (fd >= 0)
			return fd;
		if (errno != ENOENT)
			return err_sys(err, ERR_IO, "open cgroup %s", *ret_dir);
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
	CLEANUP_BUF struct buf text = BUF_INIT(PIDS_MAX);

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
static int walk(int top, struct buf *pids, struct err *err)
{
	CLEANUP_BUF struct buf queue = BUF_INIT(SUBDIRS_MAX);
	size_t at = 0;

	if (buf_add(&queue, "", 1, err) < 0)
		return -1;
	while (at < queue.len) {
		CLEANUP_FREE char *path = strdup((char *)queue.data + at);
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
		if (add_subdirs(dir, path, &queue, err) < 0)
			return -1;
	}
	return 0;
}

static int list_all(const struct cgroup *cg, struct buf *pids, const char **ret_dir,
		    struct err *err)
{
	CLEANUP_FD int top = open_listed(cg, ret_dir, err);

	return top < 0 ? -1 : walk(top, pids, err);
}

int cgroup_pids(const struct cgroup *cg, pid_t **ret, size_t *ret_n, struct err *err)
{
	struct buf pids = BUF_INIT(PIDS_MAX);
	const char *dir;

	if (list_all(cg, &pids, &dir, err) < 0) {
		buf_deinit(&pids);
		return -1;
	}
	*ret_n = pids.len / sizeof(pid_t);
	*ret = (pid_t *)(void *)pids.data;
	return 0;
}

/* --- killing ------------------------------------------------------------------------------ */

static bool contains_us(const char *dir, const struct cgroup *us)
{
	for (int part = 0; part < CGROUP_PART_N; part++) {
		const char *ours = cgroup_dir(us, part);

		if (ours && path_below(ours, dir))
			return true;
	}
	return false;
}

static int compare_pids(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Signals all of @now, and sorts it; true when one of them was not in the sorted @before. */
static bool kill_round(struct buf *now, const struct buf *before)
{
	pid_t *pids = (pid_t *)(void *)now->data;
	size_t n = now->len / sizeof(*pids), n_before = before->len / sizeof(*pids);
	bool met_new = false;

	if (n)
		qsort(pids, n, sizeof(*pids), compare_pids);
	for (size_t i = 0; i < n; i++) {
		if (n_before &&
		    bsearch(&pids[i], before->data, n_before, sizeof(*pids), compare_pids))
			continue;
		met_new = true;
		kill(pids[i], SIGKILL);
	}
	return met_new;
}

/*
 * A killed process stays listed until it is gone but cannot fork any more, so when a round meets
 * only those of the round before, no other is left.
 */
static int kill_rounds(const struct cgroup *cg, struct err *err)
{
	CLEANUP_BUF struct buf before = BUF_INIT(PIDS_MAX);
	const char *dir;

	for (int round = 0; round < KILL_ROUNDS; round++) {
		struct buf now = BUF_INIT(PIDS_MAX);
		bool met_new;

		if (list_all(cg, &now, &dir, err) < 0) {
			buf_deinit(&now);
			return err->code == ERR_NOT_FOUND ? 0 : -1;
		}
		met_new = kill_round(&now, &before);
		buf_deinit(&before);
		before = now;
		if (!met_new)
			return 0;
	}
	return err_set(err, ERR_LIMIT, "processes appear faster than they are killed");
}

static bool kill_at_once(const struct cgroup *cg)
{
	CLEANUP_FD int dir = cgroup_dir_open(cg, CGROUP_UNIFIED);
	CLEANUP_FD int fd = dir < 0 ? -1 : openat(dir, "cgroup.kill", O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, "1", 1) == 1;
}

int cgroup_kill(const struct cgroup *cg, struct err *err)
{
	struct cgroup us;
	bool ours = false;

	if (cgroup_open(&us, getpid(), err) == 0)
		for (int part = 0; part < CGROUP_PART_N; part++)
			if (cgroup_dir(cg, part) && contains_us(cgroup_dir(cg, part), &us))
				ours = true;
	cgroup_deinit(&us);
	if (ours)
		return err_set(err, ERR_PRECONDITION, "refusing to kill the cgroup we are in");
	/* On a hybrid host the processes need not be in the v2 hierarchy: the rounds tell. */
	if (kill_at_once(cg) && cg->unified)
		return 0;
	return kill_rounds(cg, err);
}
