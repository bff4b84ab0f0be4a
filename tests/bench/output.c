/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "tests/bench/bench.h"

/* A container that writes 1 GiB to its standard output, which is a FIFO that we read. */

#define TOTAL_MIB 1024
static const char *const writer_args[] = { "/bin/dd", "if=/dev/zero", "bs=64k", "count=16384",
					   NULL };

struct output {
	struct bench *bench;
	struct container containers[SHIMS];
	char out[300], err[300]; /* FIFOs, used by one container after the other */
	int err_fd;		 /* of the second one, which stays all but empty */
	struct samples cpu[SHIMS], rate[SHIMS];
};

/* Exactly what was written: the shim keeps a writing end, so the end of file comes much later. */
static int drain(int fd, struct err *err)
{
	static char piece[256 << 10];
	uint64_t left = (uint64_t)TOTAL_MIB << 20;

	while (left) {
		ssize_t n = read(fd, piece, sizeof(piece));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(err, ERR_IO, "%llu bytes of the output are missing",
				       (unsigned long long)left);
		left -= (uint64_t)n < left ? (uint64_t)n : left;
	}
	return 0;
}

static int output_run(struct output *o, enum subject who, double *ret_cpu, double *ret_ms,
		      struct err *err)
{
	const struct container *c = &o->containers[who];
	struct rpc *rpc = o->bench->rpc;
	/* Reading end first, so that the shim's opening does not wait; later reads shall. */
	CLEANUP_FD int fd = open(o->out, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	const struct streams io = { o->out, o->err };
	double before, after, begin;
	int pid;

	if (fd < 0)
		return err_sys(err, ERR_IO, "open %s", o->out);
	if (task_create(rpc, c, &io, err) < 0)
		return -1;
	if (fcntl(fd, F_SETFL, 0) < 0)
		return err_sys(err, ERR_IO, "make reading wait");
	if (shim_pid(o->bench, c->id, &pid, err) < 0 || process_cpu(pid, &before, err) < 0)
		return -1;
	begin = now_ms();
	if (task_start(rpc, c, NULL, err) < 0 || drain(fd, err) < 0)
		return -1;
	*ret_ms = now_ms() - begin;
	if (process_cpu(pid, &after, err) < 0 || task_wait(rpc, c, NULL, 0, err) < 0)
		return -1;
	*ret_cpu = after - before;
	return task_delete(rpc, c, NULL, err);
}

static int output_one(void *ctx, enum subject who, bool counts, struct err *err)
{
	struct output *o = ctx;
	double cpu = 0, ms = 0;

	if (!counts) /* a gigabyte needs no warming up */
		return 0;
	if (output_run(o, who, &cpu, &ms, err) < 0)
		return -1;
	samples_add(&o->cpu[who], cpu);
	samples_add(&o->rate[who], TOTAL_MIB * 1e3 / ms);
	return 0;
}

static int make_fifos(struct output *o, struct err *err)
{
	str_fmt(o->out, sizeof(o->out), "%s/output", o->bench->dir);
	str_fmt(o->err, sizeof(o->err), "%s/errors", o->bench->dir);
	if (mkfifo(o->out, 0700) < 0 || mkfifo(o->err, 0700) < 0)
		return err_sys(err, ERR_IO, "make %s and errors", o->out);
	o->err_fd = open(o->err, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return o->err_fd < 0 ? err_sys(err, ERR_IO, "open %s", o->err) : 0;
}

int bench_output(struct bench *b, unsigned int n, struct err *err)
{
	struct output o = { .bench = b };

	if (make_fifos(&o, err) < 0)
		return -1;
	for (enum subject who = STOCK; who < SHIMS; who++) {
		struct container *c = &o.containers[who];

		c->subject = who;
		str_fmt(c->id, sizeof(c->id), "output-%s", subject_name[who]);
		if (container_make(b, c, NULL, writer_args, err) < 0)
			return -1;
	}
	if (alternate(n, SHIMS, output_one, &o, err) < 0)
		return -1;
	close(o.err_fd);
	for (enum subject who = STOCK; who < SHIMS; who++) {
		if (container_remove(b, &o.containers[who], err) < 0)
			return -1;
		samples_print(b, "output_cpu", subject_name[who], false, &o.cpu[who]);
		samples_print(b, "output_rate", subject_name[who], false, &o.rate[who]);
		samples_deinit(&o.cpu[who]);
		samples_deinit(&o.rate[who]);
	}
	return 0;
}
