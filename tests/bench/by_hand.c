/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/spawn.h"
#include "runtime/base/str.h"
#include "tests/bench/bench.h"

/* --- bundles ------------------------------------------------------------------------------- */

int bundle_make(const struct bench *b, const struct container *c, words args, struct bundle *ret,
		struct err *err)
{
	struct buf CLEANUP_BUF spec = BUF_INIT(64u << 10);
	CLEANUP_FD int dir = -1;

	ret->log_fd = -1;
	if (!str_fmt(ret->path, sizeof(ret->path), "%s/%s/rootfs", b->dir, c->id))
		return err_set(err, ERR_INVALID, "BENCH_DIR is too long");
	if (dir_make(ret->path, 0711, err) < 0 ||
	    spec_container(b, c->id, NULL, args, &spec, err) < 0)
		return -1;
	*strrchr(ret->path, '/') = '\0';
	dir = open(ret->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || (mkfifoat(dir, "log", 0700) < 0 && errno != EEXIST) ||
	    (ret->log_fd = openat(dir, "log", O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0)
		return err_sys(err, ERR_IO, "make %s/log", ret->path);
	return file_replace(dir, "config.json", 0600, spec.data, spec.len, err);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path) < 0 ? -1 : 0;
}

void bundle_remove(struct bundle *bundle)
{
	fd_close(&bundle->log_fd);
	(void)nftw(bundle->path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* What snapshotters of directories hand out: an overlay, or a bind mount of the only layer. */
static int mount_one(const Bench__Mount *m, const char *target, struct err *err)
{
	struct buf CLEANUP_BUF data = BUF_INIT(64u << 10);
	unsigned long flags = 0;

	for (size_t i = 0; i < m->n_options; i++) {
		const char *option = m->options[i];

		if (str_eq(option, "rbind") || str_eq(option, "bind"))
			flags |= MS_BIND | MS_REC;
		else if (!str_eq(option, "rw") && !str_eq(option, "ro") &&
			 buf_printf(&data, err, "%s%s", data.len ? "," : "", option) < 0)
			return -1;
	}
	if (mount(m->source, target, m->type, flags, buf_str(&data)) < 0)
		return err_sys(err, ERR_IO, "mount %s on %s", m->type, target);
	return 0;
}

int rootfs_mount(const struct container *c, const struct bundle *at, struct err *err)
{
	char target[300];

	str_fmt(target, sizeof(target), "%s/rootfs", at->path);
	for (size_t i = 0; i < c->n_mounts; i++)
		if (mount_one(c->mounts[i], target, err) < 0)
			return -1;
	return 0;
}

int rootfs_umount(const struct bundle *at, struct err *err)
{
	char target[300];

	str_fmt(target, sizeof(target), "%s/rootfs", at->path);
	if (umount2(target, MNT_DETACH) < 0)
		return err_sys(err, ERR_IO, "unmount %s", target);
	return 0;
}

/* --- programs ------------------------------------------------------------------------------ */

static int reap(pid_t pid, const char *name, struct err *err)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, ERR_IO, "wait for %s", name);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return err_set(err, ERR_IO, "%s ended with wait status 0x%x", name, status);
	return 0;
}

/* What the program writes, and when its first byte came. */
static int collect(int fd, struct buf *out, double *ret_first_ms, struct err *err)
{
	char piece[4096];
	ssize_t n;

	*ret_first_ms = 0;
	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, ERR_IO, "read a program's output");
		if (*ret_first_ms == 0)
			*ret_first_ms = now_ms();
		if (buf_add(out, piece, (size_t)n, err) < 0)
			return -1;
	}
	return 0;
}

int run_program(const struct run *r, struct buf *out, double *ret_first_ms, struct err *err)
{
	CLEANUP_FD int r_end = -1;
	CLEANUP_FD int w_end = -1;
	struct spawn_fd map[3] = { { r->in, 0 }, { r->log, 1 }, { r->log, 2 } };
	const struct spawn what = { .path = r->argv[0],
				    .argv = r->argv,
				    .cwd = r->cwd,
				    .fds = map,
				    .n_fds = ARRAY_SIZE(map),
				    .new_group = true };
	double first = 0;
	pid_t pid;

	if (out) {
		if (fd_pipe(&r_end, &w_end, 0, err) < 0)
			return -1;
		map[1].from = map[2].from = w_end;
	}
	if (spawn(&what, &pid, err) < 0)
		return -1;
	fd_close(&w_end);
	if (out && collect(r_end, out, &first, err) < 0)
		return -1;
	if (ret_first_ms)
		*ret_first_ms = first;
	if (reap(pid, r->argv[0], err) == 0)
		return 0;
	return out && out->len ? err_in(err, "\"%.300s\"", buf_str(out)) : -1;
}

/* --- the engine ---------------------------------------------------------------------------- */

struct engine_call {
	const struct bench *bench;
	const struct bundle *bundle;
	const char *id;
	char root[300], log[300], pid_file[300];
};

static int engine_run(const struct engine_call *e, const char *verb, bool create, struct err *err)
{
	const char *argv[] = { e->bench->engine,
			       "--root",
			       e->root,
			       "--log",
			       e->log,
			       "--log-format",
			       "json",
			       verb,
			       e->id,
			       NULL,
			       NULL,
			       NULL,
			       NULL,
			       NULL };
	const struct run r = { .argv = (char *const *)(uintptr_t)argv, .in = -1, .log = -1 };

	if (create) {
		argv[8] = "--bundle";
		argv[9] = e->bundle->path;
		argv[10] = "--pid-file";
		argv[11] = e->pid_file;
		argv[12] = e->id;
	}
	return run_program(&r, NULL, NULL, err);
}

static int wait_for_init(const struct engine_call *e, struct err *err)
{
	struct buf CLEANUP_BUF text = BUF_INIT(64);
	uint64_t pid;

	if (file_read(AT_FDCWD, e->pid_file, &text, err) < 0 ||
	    str_u64(buf_str(&text), "pid file", INT32_MAX, &pid, err) < 0)
		return -1;
	return reap((pid_t)pid, "the container's process", err);
}

int engine_cycle(const struct bench *b, const struct bundle *at, const char *id,
		 struct engine_times *ret, struct err *err)
{
	struct engine_call e = { .bench = b, .bundle = at, .id = id };
	double begin = now_ms();

	/* Where both shims have it. */
	str_fmt(e.root, sizeof(e.root), "/run/containerd/%s/%s", strrchr(b->engine, '/') + 1,
		b->namespace);
	str_fmt(e.log, sizeof(e.log), "%s/engine.log", at->path);
	str_fmt(e.pid_file, sizeof(e.pid_file), "%s/init.pid", at->path);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return err_sys(err, ERR_IO, "become a subreaper");
	if (engine_run(&e, "create", true, err) < 0)
		return err_in(err, "create (see %s)", e.log);
	ret->create = now_ms() - begin;
	if (engine_run(&e, "start", false, err) < 0 || wait_for_init(&e, err) < 0 ||
	    engine_run(&e, "delete", false, err) < 0)
		return err_in(err, "start or delete (see %s)", e.log);
	ret->total = now_ms() - begin;
	return 0;
}
