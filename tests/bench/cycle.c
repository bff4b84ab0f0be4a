/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "tests/bench/bench.h"

/* A container's life and a program's beside it, through containerd. */

static const char *const true_args[] = { "/bin/true", NULL };
static const char *const sleep_args[] = { "/bin/sleep", "100000", NULL };

/* --- create, start, wait, delete ----------------------------------------------------------- */

struct cycle {
	struct bench *bench;
	struct container containers[SUBJECTS];
	struct bundle bundle; /* of the engine alone */
	struct samples total[SUBJECTS], create[SUBJECTS];
};

static int through_containerd(struct rpc *rpc, const struct container *c, double *ret_create,
			      double *ret_total, struct err *err)
{
	double begin = now_ms();

	if (task_create(rpc, c, NULL, err) < 0)
		return err_in(err, "create");
	*ret_create = now_ms() - begin;
	if (task_start(rpc, c, NULL, err) < 0 || task_wait(rpc, c, NULL, 0, err) < 0 ||
	    task_delete(rpc, c, NULL, err) < 0)
		return -1;
	*ret_total = now_ms() - begin;
	return 0;
}

/* What both shims have to wait for: the engine on the same root filesystem, mounted beforehand. */
static int engine_alone(struct cycle *y, double *ret_create, double *ret_total, struct err *err)
{
	const struct container *c = &y->containers[ENGINE];
	struct engine_times times;

	if (engine_cycle(y->bench, &y->bundle, c->id, &times, err) < 0)
		return -1;
	*ret_create = times.create;
	*ret_total = times.total;
	return 0;
}

static int cycle_one(void *ctx, enum subject who, bool counts, struct err *err)
{
	struct cycle *y = ctx;
	double create, total;
	int rc;

	if (who == ENGINE)
		rc = engine_alone(y, &create, &total, err);
	else
		rc = through_containerd(y->bench->rpc, &y->containers[who], &create, &total, err);
	if (rc < 0 || !counts)
		return rc;
	samples_add(&y->create[who], create);
	samples_add(&y->total[who], total);
	return 0;
}

static int cycle_make(struct cycle *y, struct err *err)
{
	for (enum subject who = STOCK; who < SUBJECTS; who++) {
		struct container *c = &y->containers[who];

		c->subject = who == ENGINE ? STOCK : who;
		str_fmt(c->id, sizeof(c->id), "cycle-%s", subject_name[who]);
		if (container_make(y->bench, c, NULL, true_args, err) < 0)
			return -1;
	}
	if (bundle_make(y->bench, &y->containers[ENGINE], true_args, &y->bundle, err) < 0)
		return -1;
	return rootfs_mount(&y->containers[ENGINE], &y->bundle, err);
}

static int cycle_remove(struct cycle *y, struct err *err)
{
	if (rootfs_umount(&y->bundle, err) < 0)
		return -1;
	bundle_remove(&y->bundle);
	for (enum subject who = STOCK; who < SUBJECTS; who++)
		if (container_remove(y->bench, &y->containers[who], err) < 0)
			return -1;
	return 0;
}

int bench_cycle(struct bench *b, unsigned int n, struct err *err)
{
	struct cycle y = { .bench = b };

	if (cycle_make(&y, err) < 0 || alternate(n, SUBJECTS, cycle_one, &y, err) < 0 ||
	    cycle_remove(&y, err) < 0)
		return -1;
	for (enum subject who = STOCK; who < SUBJECTS; who++) {
		samples_print(b, "cycle", subject_name[who], true, &y.total[who]);
		samples_print(b, "create", subject_name[who], true, &y.create[who]);
		samples_deinit(&y.total[who]);
		samples_deinit(&y.create[who]);
	}
	return 0;
}

/* --- sixteen at once ----------------------------------------------------------------------- */

#define WORKERS 16

/*
 * Three containers after one another in each worker, so that the beginning and the end of a burst,
 * where fewer than all are at work, weigh little. Each has a name of its own: containerd 1.6 goes
 * on cleaning up after a container when its Delete was answered, in the way of a namesake.
 */
#define CYCLES 3

struct worker {
	struct container containers[CYCLES];
	struct rpc *rpc;
	pthread_t thread;
	int rc;
	struct err err;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	double create, total;

	for (unsigned int i = 0; w->rc == 0 && i < CYCLES; i++)
		w->rc = through_containerd(w->rpc, &w->containers[i], &create, &total, &w->err);
	return NULL;
}

static int worker_make(struct bench *b, enum subject who, unsigned int number, struct worker *w,
		       struct err *err)
{
	*w = (struct worker){ .rc = 0 };
	for (unsigned int i = 0; i < CYCLES; i++) {
		struct container *c = &w->containers[i];

		c->subject = who;
		str_fmt(c->id, sizeof(c->id), "at-once-%s-%u-%u", subject_name[who], number, i);
		if (container_make(b, c, NULL, true_args, err) < 0)
			return -1;
	}
	return bench_connect(b, &w->rpc, err);
}

static int worker_remove(struct bench *b, struct worker *w, struct err *err)
{
	rpc_free(w->rpc);
	for (unsigned int i = 0; i < CYCLES; i++)
		if (container_remove(b, &w->containers[i], err) < 0)
			return -1;
	if (w->rc < 0)
		*err = w->err;
	return w->rc;
}

/* All workers at once: containers per second. */
static int burst(struct bench *b, enum subject who, unsigned int serial, double *ret,
		 struct err *err)
{
	struct worker workers[WORKERS];
	double begin;
	int rc = 0;

	for (unsigned int i = 0; i < WORKERS; i++)
		if (worker_make(b, who, serial * WORKERS + i, &workers[i], err) < 0)
			return -1;
	begin = now_ms();
	for (unsigned int i = 0; i < WORKERS; i++)
		ASSERT(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
	for (unsigned int i = 0; i < WORKERS; i++)
		pthread_join(workers[i].thread, NULL);
	*ret = WORKERS * CYCLES * 1e3 / (now_ms() - begin);
	for (unsigned int i = 0; i < WORKERS; i++)
		if (worker_remove(b, &workers[i], err) < 0)
			rc = -1;
	return rc;
}

int bench_parallel(struct bench *b, unsigned int n, struct err *err)
{
	struct samples rate[SHIMS] = { { .v = NULL } };
	double value;

	for (unsigned int i = 0; i < SHIMS * n; i++) {
		enum subject who = (i + i / 2) % 2 ? OURS : STOCK;

		if (burst(b, who, i, &value, err) < 0)
			return err_in(err, "%s", subject_name[who]);
		samples_add(&rate[who], value);
	}
	for (enum subject who = STOCK; who < SHIMS; who++) {
		samples_print(b, "parallel", subject_name[who], true, &rate[who]);
		samples_deinit(&rate[who]);
	}
	return 0;
}

/* --- exec ---------------------------------------------------------------------------------- */

struct exec_state {
	struct bench *bench;
	struct container containers[SHIMS];
	struct samples total[SHIMS];
	unsigned int serial;
};

static int exec_one(void *ctx, enum subject who, bool counts, struct err *err)
{
	struct exec_state *x = ctx;
	const struct container *c = &x->containers[who];
	struct rpc *rpc = x->bench->rpc;
	double begin = now_ms();
	char id[32];

	str_fmt(id, sizeof(id), "e%u", x->serial++);
	if (task_exec(rpc, c, id, true_args, err) < 0 || task_start(rpc, c, id, err) < 0 ||
	    task_wait(rpc, c, id, 0, err) < 0 || task_delete(rpc, c, id, err) < 0)
		return -1;
	if (counts)
		samples_add(&x->total[who], now_ms() - begin);
	return 0;
}

int bench_exec(struct bench *b, unsigned int n, struct err *err)
{
	struct exec_state x = { .bench = b };

	for (enum subject who = STOCK; who < SHIMS; who++) {
		struct container *c = &x.containers[who];

		c->subject = who;
		str_fmt(c->id, sizeof(c->id), "exec-%s", subject_name[who]);
		if (container_make(b, c, NULL, sleep_args, err) < 0 || task_up(b->rpc, c, err) < 0)
			return -1;
	}
	if (alternate(n, SHIMS, exec_one, &x, err) < 0)
		return -1;
	for (enum subject who = STOCK; who < SHIMS; who++) {
		if (task_down(b->rpc, &x.containers[who], err) < 0 ||
		    container_remove(b, &x.containers[who], err) < 0)
			return -1;
		samples_print(b, "exec", subject_name[who], true, &x.total[who]);
		samples_deinit(&x.total[who]);
	}
	return 0;
}
