/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "tests/bench/bench.h"

/* Many pods, and many containers in one: what the shims use, and whether later ones cost more. */

static const char *const sleep_args[] = { "/bin/sleep", "100000", NULL };

/* Containers that run at the same time, in pods of @per_pod. */
struct crowd {
	struct bench *bench;
	const char *name;
	enum subject who;
	size_t per_pod, n;
	struct container *list;
	struct samples up; /* ms per container, in order */
};

static void pod_id(const struct crowd *w, size_t pod, char *ret, size_t size)
{
	str_fmt(ret, size, "%s-%s-%zu-0", w->name, subject_name[w->who], pod);
}

static int crowd_grow(struct crowd *w, size_t n, struct err *err)
{
	w->list = reallocarray(w->list, n, sizeof(*w->list));
	ASSERT(w->list);
	for (; w->n < n; w->n++) {
		struct container *c = &w->list[w->n];
		char group[80];
		double begin;

		*c = (struct container){ .subject = w->who };
		pod_id(w, w->n / w->per_pod, group, sizeof(group));
		str_fmt(c->id, sizeof(c->id), "%s-%s-%zu-%zu", w->name, subject_name[w->who],
			w->n / w->per_pod, w->n % w->per_pod);
		if (container_make(w->bench, c, group, sleep_args, err) < 0)
			return -1;
		begin = now_ms();
		if (task_up(w->bench->rpc, c, err) < 0)
			return err_in(err, "container %zu of %s", w->n, subject_name[w->who]);
		samples_add(&w->up, now_ms() - begin);
	}
	return 0;
}

static int crowd_end(struct crowd *w, struct err *err)
{
	while (w->n) {
		struct container *c = &w->list[--w->n];

		if (task_down(w->bench->rpc, c, err) < 0 || container_remove(w->bench, c, err) < 0)
			return -1;
	}
	free(w->list);
	samples_deinit(&w->up);
	return 0;
}

/*
 * All shims of the crowd added up. Not at once: just written files have dirty pages in the page
 * cache, which would count as private, and a shim that has just worked is not idle.
 */
static int crowd_usage(const struct crowd *w, struct usage *ret, struct err *err)
{
	*ret = (struct usage){ .pss = 0 };
	sync();
	sleep(1);
	for (size_t pod = 0; pod * w->per_pod < w->n; pod++) {
		struct usage one;
		char id[80];
		int pid;

		pod_id(w, pod, id, sizeof(id));
		if (shim_pid(w->bench, id, &pid, err) < 0 || process_usage(pid, &one, err) < 0)
			return -1;
		ret->private_dirty += one.private_dirty;
		ret->pss += one.pss;
		ret->rss += one.rss;
		ret->threads += one.threads;
		ret->cpu += one.cpu;
	}
	return 0;
}

static void print_one(const struct crowd *w, const char *figure, double value)
{
	struct samples CLEANUP_SAMPLES s = { .v = NULL };

	samples_add(&s, value);
	samples_print(w->bench, figure, subject_name[w->who], false, &s);
}

/* --- one pod, then @n, of two containers ---------------------------------------------------- */

static int pods_of(struct bench *b, enum subject who, unsigned int n, struct err *err)
{
	struct crowd w = { .bench = b, .name = "pod", .who = who, .per_pod = 2 };
	struct usage m;

	if (crowd_grow(&w, 2, err) < 0 || crowd_usage(&w, &m, err) < 0)
		return -1;
	print_one(&w, "private_dirty", m.private_dirty);
	print_one(&w, "rss", m.rss);
	print_one(&w, "threads", m.threads);
	if (crowd_grow(&w, 2 * (size_t)n, err) < 0 || crowd_usage(&w, &m, err) < 0)
		return -1;
	print_one(&w, "pods_pss", m.pss);
	return crowd_end(&w, err);
}

int bench_pods(struct bench *b, unsigned int n, struct err *err)
{
	for (enum subject who = STOCK; who < SHIMS; who++)
		if (pods_of(b, who, n, err) < 0)
			return -1;
	return 0;
}

/* --- growth --------------------------------------------------------------------------------- */

/*
 * The series "time" holds every start in order; "memory" and "cpu" what the shims use at a quarter,
 * half, three quarters and the whole.
 */
static int growth_of(struct crowd *w, const char *figure, size_t n, struct err *err)
{
	struct samples CLEANUP_SAMPLES memory = { .v = NULL };
	struct samples CLEANUP_SAMPLES cpu = { .v = NULL };
	char name[64];
	struct usage m;

	for (size_t quarter = 1; quarter <= 4; quarter++) {
		if (crowd_grow(w, n * quarter / 4, err) < 0 || crowd_usage(w, &m, err) < 0)
			return -1;
		samples_add(&memory, m.private_dirty);
		samples_add(&cpu, m.cpu);
	}
	str_fmt(name, sizeof(name), "%s_time", figure);
	samples_print(w->bench, name, subject_name[w->who], false, &w->up);
	str_fmt(name, sizeof(name), "%s_memory", figure);
	samples_print(w->bench, name, subject_name[w->who], false, &memory);
	str_fmt(name, sizeof(name), "%s_cpu", figure);
	samples_print(w->bench, name, subject_name[w->who], false, &cpu);
	return crowd_end(w, err);
}

/* @n containers in one pod */
int bench_growth(struct bench *b, unsigned int n, struct err *err)
{
	for (enum subject who = STOCK; who < SHIMS; who++) {
		struct crowd w = { .bench = b, .name = "grow", .who = who, .per_pod = n };

		if (growth_of(&w, "containers", n, err) < 0)
			return -1;
	}
	return 0;
}

/* @n pods of one container */
int bench_nodes(struct bench *b, unsigned int n, struct err *err)
{
	for (enum subject who = STOCK; who < SHIMS; who++) {
		struct crowd w = { .bench = b, .name = "node", .who = who, .per_pod = 1 };

		if (growth_of(&w, "pods", n, err) < 0)
			return -1;
	}
	return 0;
}
