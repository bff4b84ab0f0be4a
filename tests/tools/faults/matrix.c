/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/str.h"
#include "tests/tools/faults/bundle.h"
#include "tests/tools/faults/life.h"

/*
 * Every step of a container's life, every process that takes part in it, every system call of that
 * process: killed there, or the call fails there. Beside the victim a second container of the same
 * shim runs all the time.
 */
enum {
	PLAIN = 0,
	MAPPED = 1,   /* the victim's root file system is id-mapped */
	EMULATED = 2, /* and the victim has emulators of its own */
	PARENT = 4,   /* only while there is a child */
};

static const struct place {
	enum phase phase;
	enum role role;
	unsigned int what;
} places[] = {
	{ PH_BOOT, ROLE_SELF, PLAIN },

	{ PH_CREATE, ROLE_SELF, PLAIN },       { PH_CREATE, ROLE_FORK, PLAIN },
	{ PH_CREATE, ROLE_PREPARE, PLAIN },    { PH_CREATE, ROLE_PLATFORM, PLAIN },
	{ PH_CREATE, ROLE_ENGINE, PLAIN },     { PH_CREATE, ROLE_PREPARE, MAPPED | PARENT },
	{ PH_CREATE, ROLE_INSIDE, MAPPED },    { PH_CREATE, ROLE_SELF, EMULATED },
	{ PH_CREATE, ROLE_PREPARE, EMULATED }, { PH_CREATE, ROLE_INSIDE, EMULATED },
	{ PH_START, ROLE_SELF, PLAIN },	       { PH_START, ROLE_FORK, PLAIN },
	{ PH_START, ROLE_ENGINE, PLAIN },      { PH_CONNECT, ROLE_SELF, PLAIN },
	{ PH_EXEC, ROLE_SELF, PLAIN },	       { PH_EXEC, ROLE_FORK, PLAIN },
	{ PH_EXEC, ROLE_PREPARE, PLAIN },      { PH_EXEC, ROLE_ENGINE, PLAIN },
	{ PH_TERMINAL, ROLE_SELF, PLAIN },     { PH_TERMINAL, ROLE_ENGINE, PLAIN },
	{ PH_OUTPUT, ROLE_SELF, PLAIN },       { PH_ABANDONED, ROLE_SELF, PLAIN },
	{ PH_ABANDONED, ROLE_SELF, EMULATED }, { PH_ABANDONED, ROLE_FORK, PLAIN },
	{ PH_ABANDONED, ROLE_ENGINE, PLAIN },  { PH_STOP, ROLE_SELF, PLAIN },
	{ PH_STOP, ROLE_FORK, PLAIN },	       { PH_STOP, ROLE_ENGINE, PLAIN },
	{ PH_DELETE, ROLE_SELF, PLAIN },       { PH_DELETE, ROLE_FORK, PLAIN },
	{ PH_DELETE, ROLE_ENGINE, PLAIN },     { PH_CLEAN, ROLE_SELF, PLAIN },
};

/* An engine whose call fails may wait for ever; who asked for it does not. */
#define CLIENT_BOUND_MS 5000

#define PLACES ARRAY_SIZE(places)

static const char *const sleep_words[] = { "/bin/sleep", "1000", NULL };
static const char *const outcome_name[OUTCOMES] = { "done all the same", "failed, and taken back",
						    "the shim ended" };

struct matrix {
	struct stage stage;
	struct tally tally;
	unsigned int steps[PLACES][ACTIONS];
	unsigned int done[PLACES], outcomes[ROLES][OUTCOMES], faults[ROLES][ACTIONS];
	bool verbose;
};

/* --- one fault -------------------------------------------------------------------------------- */

/* Whatever is in the way of the next fault is put aside. */
static int start_over(struct matrix *m, struct box *victim, struct err *err)
{
	if (box_rescue(victim, err) < 0)
		printf("# %s\n", err->text);
	if (stage_down(&m->stage, err) < 0)
		printf("# %s\n", err->text);
	peer_close(&m->stage.pod.peer);
	return stage_up(&m->stage, err);
}

static int make_victim(struct matrix *m, const struct place *p, struct box *ret, struct err *err)
{
	if (box_make(&m->stage.pod, "victim", sleep_words, ret, err) < 0)
		return -1;
	ret->bound_ms = CLIENT_BOUND_MS;
	ret->mapped = p->what & (MAPPED | EMULATED);
	ret->emulated = p->what & EMULATED;
	return ret->emulated ? bundle_make(ret, sleep_words, err) : 0;
}

static void count(struct matrix *m, const struct life *l, enum outcome outcome)
{
	if (!l->fault.step)
		return;
	if (!l->seen.fired) {
		m->tally.unreached++;
		return;
	}
	m->tally.injected++;
	m->faults[l->fault.role][l->fault.action]++;
	m->outcomes[l->fault.role][outcome]++;
}

static int one(struct matrix *m, size_t place, const struct fault *f, struct err *err)
{
	const struct place *p = &places[place];
	struct life l = { .stage = &m->stage, .fault = *f, .at = p->phase };
	enum outcome outcome = OUT_FAILED;
	uint64_t begin = now_ms();
	char text[200];
	int rc;

	l.fault.role = p->role;
	l.fault.as_parent = p->what & PARENT;
	if (make_victim(m, p, &l.box, err) < 0)
		return -1;
	rc = life_run(&l, &outcome, err);
	memcpy(m->steps[place], (const void *)(uintptr_t)l.seen.steps, sizeof(m->steps[place]));
	life_describe(&l, text, sizeof(text));
	if (rc == 0)
		rc = stage_again(&m->stage, l.box.id, err);
	count(m, &l, outcome);
	if (m->verbose)
		printf("# %5u ms %s: %s\n", (unsigned int)(now_ms() - begin), text,
		       outcome_name[outcome]);
	if (rc < 0) {
		loss(&m->tally, "%s: %s", text, err->text);
		printf("# see %s and %s\n", l.box.bundle, m->stage.sibling.bundle);
		return start_over(m, &l.box, err);
	}
	box_remove(&l.box);
	return 0;
}

/* --- which faults ----------------------------------------------------------------------------- */

/*
 * All steps when there is room for them, else so many, spread over all of them. An error is once
 * and lasting in turn, or, where there is room, both at each step.
 */
static int some_of(struct matrix *m, size_t place, enum action action, unsigned int n_wanted,
		   struct err *err)
{
	unsigned int steps = m->steps[place][action], shift = (unsigned int)place + action;
	bool both = action != ACT_KILL && n_wanted >= 2 * steps;
	unsigned int n = both ? 2 * steps : steps < n_wanted ? steps : n_wanted;

	for (unsigned int i = 0; i < n; i++) {
		struct fault f = { .action = action,
				   .step = both ? i / 2 + 1 : spread(i, n, steps),
				   .lasting = action != ACT_KILL && (both ? i : i + shift) % 2 };

		if (one(m, place, &f, err) < 0)
			return -1;
		m->done[place]++;
	}
	return 0;
}

/* Kills are half of all; which errors get the odd ones of the rest differs from place to place. */
static int at_place(struct matrix *m, size_t place, unsigned int n, struct err *err)
{
	const struct fault none = { .step = 0 };
	const unsigned int errors = ACTIONS - 1;
	unsigned int kills = (n + 1) / 2, left = n - kills, steps[ACTIONS];

	if (one(m, place, &none, err) < 0)
		return -1;
	memcpy(steps, m->steps[place], sizeof(steps));
	if (!steps[ACT_KILL])
		loss(&m->tally, "%s of %s makes no calls", phase_name[places[place].phase],
		     role_name[places[place].role]);
	if (some_of(m, place, ACT_KILL, kills, err) < 0)
		return -1;
	for (unsigned int i = 0; i < errors; i++) {
		enum action a = ACT_KILL + 1 + (enum action)((place + i) % errors);
		unsigned int share = (left + errors - i - 1) / (errors - i);

		left -= share;
		memcpy(m->steps[place], steps, sizeof(steps));
		if (some_of(m, place, a, share, err) < 0)
			return -1;
	}
	memcpy(m->steps[place], steps, sizeof(steps));
	return 0;
}

static bool is_possible(const struct matrix *m, size_t place)
{
	return !(places[place].what & EMULATED) || *m->stage.w->foreign;
}

static int run_all(struct matrix *m, unsigned int wanted, const char *only, struct err *err)
{
	for (size_t place = 0; place < PLACES; place++) {
		unsigned int left = wanted > m->tally.injected ? wanted - m->tally.injected : 1;
		unsigned int n = (left + (unsigned int)(PLACES - place) - 1) /
				 (unsigned int)(PLACES - place);

		if (!is_possible(m, place) || (only && (size_t)atoi(only) != place))
			continue;
		if (at_place(m, place, only ? wanted : n, err) < 0)
			return -1;
		printf("# %2zu %s of %s: %u faults (%u calls to be killed at)\n", place,
		       phase_name[places[place].phase], role_name[places[place].role],
		       m->done[place], m->steps[place][ACT_KILL]);
		fflush(stdout);
	}
	return 0;
}

static unsigned int sum(const unsigned int *of, size_t n)
{
	unsigned int all = 0;

	for (size_t i = 0; i < n; i++)
		all += of[i];
	return all;
}

static void print_counts(const struct matrix *m)
{
	for (enum role r = 0; r < ROLES; r++) {
		if (!sum(m->faults[r], ACTIONS))
			continue;
		printf("# in %s:", role_name[r]);
		for (enum action a = 0; a < ACTIONS; a++)
			printf(" %u %s", m->faults[r][a], action_name[a]);
		for (enum outcome o = 0; o < OUTCOMES; o++)
			printf("%s %u %s", o ? "," : ";", m->outcomes[r][o], outcome_name[o]);
		printf("\n");
	}
}

int cmd_matrix(struct world *w, int argc, char **argv, struct err *err)
{
	struct matrix m = { .stage.w = w, .verbose = getenv("FAULTS_VERBOSE") };
	unsigned int wanted = argc > 1 ? (unsigned int)atoi(argv[1]) : 100;

	if (stage_up(&m.stage, err) < 0 || stage_again(&m.stage, "victim", err) < 0 ||
	    usage_of(m.stage.pod.shim, &m.stage.idle, err) < 0 ||
	    run_all(&m, wanted, argc > 2 ? argv[2] : NULL, err) < 0)
		return -1;
	if (stage_down(&m.stage, err) < 0)
		loss(&m.tally, "%s", err->text);
	print_counts(&m);
	printf("faults: %u injected with %s (%u not reached), %u losses\n", m.tally.injected,
	       w->engine, m.tally.unreached, m.tally.losses);
	return m.tally.losses ? err_set(err, ERR_PRECONDITION, "%u losses", m.tally.losses) : 0;
}
