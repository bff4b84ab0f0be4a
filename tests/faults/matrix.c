/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <string.h>
#include <sys/wait.h>

#include "runtime/base/str.h"
#include "tests/faults/stage.h"

/*
 * Every step of a container's life, every process that takes part in it, every system call of that
 * process: killed there, or the call fails there. Beside the victim a second container of the same
 * shim runs all the time.
 */
enum phase {
	PH_BOOT,
	PH_CREATE,
	PH_START,
	PH_EXEC,
	PH_TERMINAL,
	PH_STOP,
	PH_DELETE,
	PH_CLEAN,
	PHASES
};

static const char *const phase_name[PHASES] = {
	"start of the shim",	"Create", "Start",  "Exec",
	"Exec with a terminal", "Kill",	  "Delete", "delete"
};

static const struct {
	enum phase phase;
	enum role role;
} places[] = {
	{ PH_BOOT, ROLE_SELF },	     { PH_BOOT, ROLE_FORK },	   { PH_BOOT, ROLE_PREPARE },
	{ PH_BOOT, ROLE_DAEMON },    { PH_CREATE, ROLE_SELF },	   { PH_CREATE, ROLE_FORK },
	{ PH_CREATE, ROLE_PREPARE }, { PH_CREATE, ROLE_PLATFORM }, { PH_CREATE, ROLE_ENGINE },
	{ PH_START, ROLE_SELF },     { PH_START, ROLE_FORK },	   { PH_START, ROLE_ENGINE },
	{ PH_EXEC, ROLE_SELF },	     { PH_EXEC, ROLE_FORK },	   { PH_EXEC, ROLE_PREPARE },
	{ PH_EXEC, ROLE_ENGINE },    { PH_TERMINAL, ROLE_SELF },   { PH_TERMINAL, ROLE_ENGINE },
	{ PH_STOP, ROLE_SELF },	     { PH_STOP, ROLE_FORK },	   { PH_STOP, ROLE_ENGINE },
	{ PH_DELETE, ROLE_SELF },    { PH_DELETE, ROLE_FORK },	   { PH_DELETE, ROLE_ENGINE },
	{ PH_CLEAN, ROLE_SELF },     { PH_CLEAN, ROLE_FORK },	   { PH_CLEAN, ROLE_ENGINE },
};

/* An engine whose call fails may wait for ever; who asked for it does not. */
#define CLIENT_BOUND_MS 5000

/* Of one process in one phase: some hundred, and in the five seconds of a client some more. */
#define CALLS_MAX 20000

#define PLACES ARRAY_SIZE(places)

static const char *const sleep_words[] = { "/bin/sleep", "1000", NULL };
static const char *const true_words[] = { "/bin/true", NULL };

struct matrix {
	struct stage stage;
	struct tally tally;
	unsigned int steps[PLACES][ACTIONS];
	unsigned int done[PLACES], shim_ended;
	bool verbose;
};

/* --- one life with one fault -------------------------------------------------------------------
 */

struct life {
	struct matrix *m;
	struct box box;
	struct fault fault;
	enum phase at; /* where the fault is */
	struct trace trace;
	struct traced seen;
};

static int exec_on_terminal(struct box *b, struct err *err)
{
	int rc;

	b->exec_terminal = true;
	rc = box_exec(b, "t", true_words, err) < 0 ? -1 : box_delete(b, "t", err);
	b->exec_terminal = false;
	return rc;
}

static int run_phase(struct life *l, enum phase phase, struct err *err)
{
	struct box *b = &l->box;
	struct trace *t = l->at == phase ? &l->trace : NULL;

	switch (phase) {
	case PH_BOOT:
		return box_boot(b, t, &l->fault, err);
	case PH_CREATE:
		return box_create(b, err);
	case PH_START:
		return box_start(b, err);
	case PH_EXEC:
		return box_exec(b, "e", true_words, err) < 0 ? -1 : box_delete(b, "e", err);
	case PH_TERMINAL:
		return exec_on_terminal(b, err);
	case PH_STOP:
		return box_kill(b, err);
	case PH_DELETE:
		return box_delete(b, "", err);
	case PH_CLEAN:
		return box_clean(b, t, &l->fault, err);
	case PHASES:
		break;
	}
	return err_set(err, ERR_INVALID, "no such phase");
}

static bool is_action(enum phase phase)
{
	return phase == PH_BOOT || phase == PH_CLEAN;
}

/* The daemon's first steps are part of a boot: it is traced until it has answered something. */
static int settle_boot(struct life *l, struct err *err)
{
	if (box_ask(&l->box, "Connect", "", NULL, err) < 0 && err->code != ERR_PRECONDITION)
		return -1;
	return 0;
}

static int faulty_phase(struct life *l, struct err *err)
{
	int rc;

	l->fault.from_exec = is_action(l->at);
	if (!is_action(l->at) && trace_begin(&l->trace, l->m->stage.pod.shim, &l->fault, err) < 0)
		ASSERT(!"the shim can be traced");
	rc = run_phase(l, l->at, err);
	if (rc == 0 && l->at == PH_BOOT)
		rc = settle_boot(l, err);
	trace_end(&l->trace, &l->seen);
	return rc;
}

/* The life up to the fault, the fault, and, where it changed nothing, the rest. 1: cut short. */
static int live(struct life *l, struct err *err)
{
	for (enum phase phase = 0; phase < PHASES; phase++) {
		struct err why;
		int rc = phase == l->at ? faulty_phase(l, &why) : run_phase(l, phase, &why);

		if (rc == 0)
			continue;
		*err = why;
		if (phase < l->at)
			return err_in(err, "before the fault");
		if (why.code == ERR_TIMEOUT)
			return err_in(err, "%s hangs", phase_name[phase]);
		return 1;
	}
	return 0;
}

/* --- what has to hold ----------------------------------------------------------------------------
 */

/* epoll_wait() failing is the one error a shim may end of; killing it is the others' cause. */
static bool may_end(const struct life *l)
{
	return l->fault.action == ACT_KILL &&
	       (l->fault.role == ROLE_SELF || l->fault.role == ROLE_DAEMON) && l->at != PH_CLEAN;
}

/* The shim is gone: both containers were its; containerd cleans up after both. */
static int check_without_shim(struct life *l, struct err *err)
{
	struct matrix *m = l->m;

	m->shim_ended++;
	if (!may_end(l))
		return err_set(err, ERR_PRECONDITION, "the shim is gone");
	if (sink_check(m->stage.w, l->box.from, l->box.id, 0, 127, 0, err) < 0)
		return -1;
	return 0;
}

static int check_life(struct life *l, int rc, struct err *err)
{
	struct matrix *m = l->m;
	struct box *b = &l->box;

	if (rc > 0 && box_rescue(b, err) < 0)
		return -1;
	if (left_by_box(b, err) < 0)
		return -1;
	if (!pod_alive(&m->stage.pod))
		return check_without_shim(l, err);
	if (sink_check(m->stage.w, b->from, b->id, b->wanted, b->maybe, 15000, err) < 0)
		return -1;
	return stage_check(&m->stage, err);
}

/* A step that failed was done again and again: more calls than any life makes. */
static int check_calls(const struct life *l, struct err *err)
{
	unsigned int calls = l->seen.steps[ACT_KILL];

	return calls <= CALLS_MAX ? 0 : err_set(err, ERR_LIMIT, "it made %u calls", calls);
}

static void describe(const struct life *l, char *ret, size_t size)
{
	str_fmt(ret, size, "%s in %s of %s at step %u (%s)%s", action_name[l->fault.action],
		phase_name[l->at], role_name[l->fault.role], l->fault.step, l->seen.call,
		l->fault.lasting ? ", lasting" : "");
}

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

static int one(struct matrix *m, size_t place, const struct fault *f, struct err *err)
{
	struct life l = { .m = m, .fault = *f, .at = places[place].phase };
	uint64_t begin = now_ms();
	char text[200];
	int rc;

	l.fault.role = places[place].role;
	if (box_make(&m->stage.pod, "victim", sleep_words, &l.box, err) < 0)
		return -1;
	l.box.bound_ms = CLIENT_BOUND_MS;
	rc = live(&l, err);
	memcpy(m->steps[place], (const void *)(uintptr_t)l.seen.steps, sizeof(m->steps[place]));
	describe(&l, text, sizeof(text));
	if (rc >= 0)
		rc = check_life(&l, rc, err);
	if (rc == 0)
		rc = check_calls(&l, err);
	if (rc == 0)
		rc = stage_again(&m->stage, l.box.id, err);
	if (f->step)
		l.seen.fired ? m->tally.injected++ : m->tally.unreached++;
	if (m->verbose)
		printf("# %5u ms %s\n", (unsigned int)(now_ms() - begin), text);
	if (rc < 0) {
		loss(&m->tally, "%s: %s", text, err->text);
		printf("# see %s and %s\n", l.box.bundle, m->stage.sibling.bundle);
		return start_over(m, &l.box, err);
	}
	box_remove(&l.box);
	return 0;
}

/* --- which faults --------------------------------------------------------------------------------
 */

/* All steps when there is room for them, else so many, spread over all of them. */
static int some_of(struct matrix *m, size_t place, enum action action, unsigned int n_wanted,
		   struct err *err)
{
	unsigned int steps = m->steps[place][action];
	unsigned int n = steps < n_wanted ? steps : n_wanted, shift = (unsigned int)place + action;

	for (unsigned int i = 0; i < n; i++) {
		struct fault f = { .action = action,
				   .step = spread(i, n, steps),
				   .lasting = action != ACT_KILL && (i + shift) % 2 };

		if (one(m, place, &f, err) < 0)
			return -1;
		m->done[place]++;
	}
	return 0;
}

/* Kills are half of all. */
static int at_place(struct matrix *m, size_t place, unsigned int n, struct err *err)
{
	const struct fault count = { .step = 0 };
	unsigned int kills = (n + 1) / 2, left = n - kills;

	if (one(m, place, &count, err) < 0)
		return -1;
	for (enum action a = 0; a < ACTIONS; a++) {
		unsigned int share = a == ACT_KILL ? kills : (left + 3 - a + 1) / (ACTIONS - a);
		unsigned int steps[ACTIONS];

		memcpy(steps, m->steps[place], sizeof(steps));
		if (a != ACT_KILL)
			left -= share < left ? share : left;
		if (some_of(m, place, a, share, err) < 0)
			return -1;
		memcpy(m->steps[place], steps, sizeof(steps));
	}
	return 0;
}

static int run_all(struct matrix *m, unsigned int wanted, const char *only, struct err *err)
{
	for (size_t place = 0; place < PLACES; place++) {
		unsigned int left = wanted > m->tally.injected ? wanted - m->tally.injected : 1;
		unsigned int n = (left + (unsigned int)(PLACES - place) - 1) /
				 (unsigned int)(PLACES - place);

		if (only && (size_t)atoi(only) != place)
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
	printf("faults: %u injected with %s (%u not reached), %u losses\n", m.tally.injected,
	       w->engine, m.tally.unreached, m.tally.losses);
	return m.tally.losses ? err_set(err, ERR_PRECONDITION, "%u losses", m.tally.losses) : 0;
}
