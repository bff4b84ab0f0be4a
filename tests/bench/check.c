/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/spawn.h"
#include "runtime/base/str.h"
#include "runtime/prepare/report.h"
#include "runtime/prepare/request.h"
#include "tests/bench/bench.h"

#include <sys/wait.h>

/* The two programs of the check, started one after the other as the shim starts them together. */

static const char *const true_args[] = { "/bin/true", NULL };

struct check_state {
	struct bench *bench;
	struct container container;
	struct bundle bundle;
	char prepare[300], cli[300];
	struct samples prepare_ms, platform_ms;
};

/*
 * The root filesystem is mounted already and the platform's answer is not given (no descriptor 6),
 * so that only prepare's own time counts: every shim mounts, and image-platform is measured apart.
 */
static int request_fd(const struct check_state *k, struct err *err)
{
	const struct prepare_request r = { .id = k->container.id,
					   .bundle = k->bundle.path,
					   .config_path = k->bench->config };
	int fd;

	return request_memfd(&r, &fd, err) < 0 ? -1 : fd;
}

/* From the spawn to the end of the program, as the shim waits for it. */
static int timed(const struct spawn *what, double *ret_ms, struct err *err)
{
	double begin = now_ms();
	int status;
	pid_t pid;

	if (spawn(what, &pid, err) < 0)
		return -1;
	if (waitpid(pid, &status, 0) < 0 || status)
		return err_set(err, ERR_IO, "%s ended with wait status 0x%x", what->path, status);
	*ret_ms = now_ms() - begin;
	return 0;
}

static int time_prepare(const struct check_state *k, double *ret_ms, struct err *err)
{
	const char *const argv[] = { k->prepare, "create", NULL };
	CLEANUP_FREE struct report *report = malloc(sizeof(*report));
	CLEANUP_FD int request = request_fd(k, err);
	CLEANUP_FD int bundle = open(k->bundle.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int r = -1;
	CLEANUP_FD int w = -1;
	ssize_t n;

	if (request < 0 || !report || fd_pipe(&r, &w, O_NONBLOCK, err) < 0)
		return -1;
	const struct spawn_fd map[] = {
		{ STDERR_FILENO, 2 }, { w, 3 }, { bundle, 4 }, { request, 5 }
	};
	const struct spawn what = { .path = k->prepare,
				    .argv = (char *const *)(uintptr_t)argv,
				    .fds = map,
				    .n_fds = ARRAY_SIZE(map),
				    .new_group = true };
	if (rootfs_mount(&k->container, &k->bundle, err) < 0 || timed(&what, ret_ms, err) < 0)
		return -1;
	n = read(r, report, sizeof(*report));
	if (n <= 0 || report_decode(report, (size_t)n, report, err) < 0)
		return err_set(err, ERR_IO, "prepare gave no report");
	if (report->verdict != VERDICT_NATIVE)
		return err_set(err, ERR_IO, "prepare: %s%s", report->line, report->err.text);
	return rootfs_umount(&k->bundle, err);
}

static int time_platform(const struct check_state *k, double *ret_ms, struct err *err)
{
	const char *const argv[] = {
		k->cli,	       "image-platform",    "--machine",     "--address", k->bench->socket,
		"--namespace", k->bench->namespace, k->container.id, NULL
	};
	const struct spawn what = { .path = k->cli,
				    .argv = (char *const *)(uintptr_t)argv,
				    .new_group = true };

	return timed(&what, ret_ms, err);
}

static int check_one(void *ctx, enum subject who, bool counts, struct err *err)
{
	struct check_state *k = ctx;
	double prepare, platform;

	(void)who;
	if (time_prepare(k, &prepare, err) < 0 || time_platform(k, &platform, err) < 0)
		return -1;
	if (counts) {
		samples_add(&k->prepare_ms, prepare);
		samples_add(&k->platform_ms, platform);
	}
	return 0;
}

int bench_check(struct bench *b, unsigned int n, struct err *err)
{
	struct check_state k = { .bench = b, .container = { .id = "check", .subject = OURS } };

	str_fmt(k.prepare, sizeof(k.prepare), "%s/crossarch-prepare", b->tools);
	str_fmt(k.cli, sizeof(k.cli), "%s/crossarch", b->tools);
	if (container_make(b, &k.container, NULL, true_args, err) < 0 ||
	    bundle_make(b, &k.container, true_args, &k.bundle, err) < 0 ||
	    alternate(n, 1, check_one, &k, err) < 0)
		return -1;
	bundle_remove(&k.bundle);
	samples_print(b, "prepare", "ours", false, &k.prepare_ms);
	samples_print(b, "platform", "ours", false, &k.platform_ms);
	samples_deinit(&k.prepare_ms);
	samples_deinit(&k.platform_ms);
	return container_remove(b, &k.container, err);
}

/* --- the first container ------------------------------------------------------------------- */

static int forget_files(struct err *err)
{
	CLEANUP_FD int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	sync();
	if (fd < 0 || fd_write_all(fd, "3", 1) < 0)
		return err_sys(err, ERR_IO, "drop the page cache");
	return 0;
}

/* Files that running programs have mapped stay: containerd is warm, shim and engine are not. */
int bench_cold(struct bench *b, unsigned int n, struct err *err)
{
	struct samples up[SHIMS] = { { .v = NULL } };
	struct container c;

	for (unsigned int i = 0; i < SHIMS * n; i++) {
		enum subject who = (i + i / 2) % 2 ? OURS : STOCK;
		double begin;

		c = (struct container){ .subject = who };
		str_fmt(c.id, sizeof(c.id), "cold-%u", i);
		if (container_make(b, &c, NULL, true_args, err) < 0 || forget_files(err) < 0)
			return -1;
		begin = now_ms();
		if (task_up(b->rpc, &c, err) < 0)
			return -1;
		samples_add(&up[who], now_ms() - begin);
		if (task_wait(b->rpc, &c, NULL, 0, err) < 0 ||
		    task_delete(b->rpc, &c, NULL, err) < 0 || container_remove(b, &c, err) < 0)
			return -1;
	}
	for (enum subject who = STOCK; who < SHIMS; who++) {
		samples_print(b, "cold", subject_name[who], true, &up[who]);
		samples_deinit(&up[who]);
	}
	return 0;
}
