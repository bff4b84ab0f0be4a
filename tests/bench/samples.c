/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench.h"

/* Rounds that fill caches and do not count. */
#define WARM_UP 3
#define REST_US 40000

const char *const subject_name[SUBJECTS] = {
	[STOCK] = "stock",
	[OURS] = "ours",
	[ENGINE] = "engine",
};

void samples_add(struct samples *s, double value)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 64;
		s->v = reallocarray(s->v, s->cap, sizeof(*s->v));
		ASSERT(s->v);
	}
	s->v[s->n++] = value;
}

void samples_deinit(struct samples *s)
{
	free(s->v);
	*s = (struct samples){ .v = NULL };
}

void samples_print(const struct bench *b, const char *figure, const char *series, bool engine,
		   const struct samples *s)
{
	const char *name = strrchr(b->engine, '/');

	printf("{\"figure\":\"%s\",\"containerd\":\"%s\",\"engine\":\"%s\",\"series\":\"%s\","
	       "\"samples\":[",
	       figure, b->label,
	       !engine ? ""
	       : name  ? name + 1
		       : b->engine,
	       series);
	for (size_t i = 0; i < s->n; i++)
		printf("%s%.4g", i ? "," : "", s->v[i]);
	puts("]}");
	fflush(stdout);
}

static int ascending(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

double samples_rank(struct samples *s, unsigned int percent)
{
	size_t rank = (s->n * percent + 99) / 100;

	if (!s->n)
		return 0;
	qsort(s->v, s->n, sizeof(*s->v), ascending);
	return s->v[rank ? rank - 1 : 0];
}

double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int alternate(unsigned int rounds, unsigned int n_subjects,
	      int (*one)(void *ctx, enum subject who, bool counts, struct err *err), void *ctx,
	      struct err *err)
{
	for (unsigned int round = 0; round < rounds + WARM_UP; round++)
		for (unsigned int i = 0; i < n_subjects; i++) {
			enum subject who = (enum subject)((round + i) % n_subjects);

			/* What the kernel still owes to the one before is not for this one to pay,
			 * nor is a grace period that it began there for this one to share. */
			usleep(REST_US);
			if (one(ctx, who, round >= WARM_UP, err) < 0)
				return err_in(err, "%s, round %u", subject_name[who], round);
		}
	return 0;
}
