/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/str.h"
#include "tests/tools/faults/faults.h"

/*
 * Lives, one after the other, in one shim or in many; beside them one container that stays as long
 * as its shim. What a shim has afterwards is held against what it had after its first lives.
 */
#define WARM_UP 50
#define EVENTS_PER_LIFE 7
#define GROWTH_KB                                                                      \
	64 /* the most that counts as none: pages of one allocation pattern or another \
	    */

static const char *const sleep_words[] = { "/bin/sleep", "100000", NULL };

struct soak {
	struct world *w;
	struct pod pod;
	struct box sibling;
	struct usage before, after;
	struct tally tally;
	unsigned int pods, lives;
	uint32_t events; /* that have to have arrived */
};

static int up(struct soak *s, struct err *err)
{
	s->pod = (struct pod){ .w = s->w, .peer.fd = -1 };
	str_fmt(s->pod.group, sizeof(s->pod.group), "soak-%u", s->pods++);
	if (box_make(&s->pod, s->pod.group, sleep_words, &s->sibling, err) < 0 ||
	    box_boot(&s->sibling, NULL, NULL, err) < 0 || box_create(&s->sibling, err) < 0)
		return -1;
	s->events += 4; /* create, start, exit, delete of the one that stays */
	return box_start(&s->sibling, err);
}

static int down(struct soak *s, struct err *err)
{
	const pid_t known[] = { sink_pid(s->w) };

	if (box_runs(&s->sibling, err) < 0 || box_kill(&s->sibling, err) < 0 ||
	    box_delete(&s->sibling, "", err) < 0 || pod_end(&s->pod, err) < 0 ||
	    box_clean(&s->sibling, NULL, NULL, err) < 0 || left_by_box(&s->sibling, err) < 0 ||
	    left_socket(&s->pod, err) < 0 || left_children(getpid(), known, 1, err) < 0)
		return -1;
	box_remove(&s->sibling);
	return sink_check(s->w, s->sibling.from, s->sibling.id, s->sibling.wanted, 0, 15000, err);
}

static int life(struct soak *s, struct err *err)
{
	char id[40];
	struct box b;

	str_fmt(id, sizeof(id), "life-%u", s->lives++ % 100);
	if (box_make(&s->pod, id, sleep_words, &b, err) < 0 || box_life(&b, true, err) < 0 ||
	    left_by_box(&b, err) < 0)
		return err_in(err, "life %u", s->lives);
	box_remove(&b);
	s->events += EVENTS_PER_LIFE;
	return 0;
}

/* A shim of few lives is measured after the first and the last of them. */
static int shim_life(struct soak *s, unsigned int lives, struct err *err)
{
	unsigned int warm = lives > 2 * WARM_UP ? WARM_UP : 1;

	if (up(s, err) < 0)
		return -1;
	for (unsigned int i = 0; i < lives; i++) {
		if (life(s, err) < 0)
			return -1;
		if (i + 1 == warm && usage_of(s->pod.shim, &s->before, err) < 0)
			return -1;
		if (i % 1000 == 999) {
			printf("# %u lives\n", s->lives);
			fflush(stdout);
		}
	}
	return usage_of(s->pod.shim, &s->after, err) < 0 ? -1 : down(s, err);
}

static void flat(struct soak *s, const char *what, unsigned long before, unsigned long after,
		 unsigned long slack)
{
	if (after > before + slack)
		loss(&s->tally, "%s grew from %lu to %lu", what, before, after);
}

static void judge(struct soak *s)
{
	const struct usage *a = &s->before, *b = &s->after;

	printf("# the last shim, after its first lives: %lu KB private, %lu KB resident, %lu "
	       "descriptors, %lu thread\n",
	       a->private_kb, a->rss_kb, a->descriptors, a->threads);
	printf("# the last shim, after its last life:   %lu KB private, %lu KB resident, %lu "
	       "descriptors, %lu thread\n",
	       b->private_kb, b->rss_kb, b->descriptors, b->threads);
	flat(s, "private memory (KB)", a->private_kb, b->private_kb, GROWTH_KB);
	flat(s, "descriptors", a->descriptors, b->descriptors, 0);
	flat(s, "threads", a->threads, b->threads, 0);
}

int cmd_soak(struct world *w, int argc, char **argv, struct err *err)
{
	unsigned int lives = argc > 1 ? (unsigned int)atoi(argv[1]) : 100;
	unsigned int per_shim = argc > 2 ? (unsigned int)atoi(argv[2]) : lives;
	uint32_t from = sink_count(w);
	struct soak s = { .w = w };

	if (!per_shim || !lives)
		return err_set(err, ERR_INVALID, "no lives asked for");
	while (s.lives < lives) {
		unsigned int left = lives - s.lives;

		if (shim_life(&s, left < per_shim ? left : per_shim, err) < 0)
			return -1;
	}
	judge(&s);
	if (sink_count(w) - from != s.events)
		loss(&s.tally, "%u events arrived instead of %u", sink_count(w) - from, s.events);
	printf("soak: %u lives with %s in %u shims, %u events of %u, %u losses\n", s.lives,
	       w->engine, s.pods, sink_count(w) - from, s.events, s.tally.losses);
	return s.tally.losses ? err_set(err, ERR_PRECONDITION, "%u losses", s.tally.losses) : 0;
}
