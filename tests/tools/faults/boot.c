/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/wait.h>

#include "runtime/base/str.h"
#include "tests/tools/faults/faults.h"

/*
 * The birth of a shim: `start` of a new pod, what it starts, and the first steps of the resident
 * process itself. After each fault the same pod is made again and has a whole life.
 */
static const enum role places[] = { ROLE_SELF, ROLE_FORK, ROLE_PREPARE, ROLE_DAEMON };

/* A shim that nobody ever asked anything leaves by itself after 30 seconds. */
#define LONELY_BOUND_MS 45000

static const char *const true_words[] = { "/bin/true", NULL };

struct boot {
	struct world *w;
	struct tally tally;
	struct traced seen;
	bool verbose;
};

static int end(struct pod *pod, struct box *b, struct err *err)
{
	if (box_rescue(b, err) < 0 || pod_end(pod, err) < 0 || box_clean(b, NULL, NULL, err) < 0 ||
	    left_by_box(b, err) < 0)
		return -1;
	return 0;
}

static int born(struct pod *pod, struct box *b, const struct fault *f, struct traced *seen,
		struct err *err)
{
	struct trace t = { .tracer = 0 };
	int rc = box_boot(b, &t, f, err);

	if (rc == 0 && box_ask(b, "Connect", "", NULL, err) < 0 && err->code != ERR_PRECONDITION)
		rc = -1;
	trace_end(&t, seen);
	if (rc < 0 && err->code == ERR_TIMEOUT)
		return -1;
	return end(pod, b, err);
}

static int again(struct boot *m, struct err *err)
{
	struct pod pod = { .w = m->w, .group = "solo", .peer.fd = -1 };
	struct box b;

	if (box_make(&pod, "solo", true_words, &b, err) < 0 || box_life(&b, false, err) < 0 ||
	    end(&pod, &b, err) < 0 || left_socket(&pod, err) < 0)
		return err_in(err, "the same pod again");
	box_remove(&b);
	return 0;
}

static int one(struct boot *m, const struct fault *f, struct err *err)
{
	struct pod pod = { .w = m->w, .group = "solo", .peer.fd = -1 };
	struct fault fault = *f;
	struct box b;
	int rc;

	fault.from_exec = f->role == ROLE_SELF;
	if (box_make(&pod, "solo", true_words, &b, err) < 0)
		return -1;
	rc = born(&pod, &b, &fault, &m->seen, err);
	if (rc == 0)
		rc = again(m, err);
	if (f->step)
		m->seen.fired ? m->tally.injected++ : m->tally.unreached++;
	if (m->verbose || rc < 0)
		printf("# %s at the birth of a shim, %s, step %u (%s)%s\n", action_name[f->action],
		       role_name[f->role], f->step, m->seen.call, f->lasting ? ", lasting" : "");
	if (rc < 0)
		loss(&m->tally, "%s", err->text);
	box_remove(&b);
	return 0;
}

static int at_place(struct boot *m, enum role role, unsigned int n, struct err *err)
{
	struct fault f = { .role = role };
	unsigned int steps[ACTIONS];

	if (one(m, &f, err) < 0)
		return -1;
	memcpy(steps, (const void *)(uintptr_t)m->seen.steps, sizeof(steps));
	for (f.action = 0; f.action < ACTIONS; f.action++) {
		unsigned int share = f.action == ACT_KILL ? (n + 1) / 2 : (n / 2 + 3) / 4;

		for (unsigned int i = 0; i < share && i < steps[f.action]; i++) {
			f.step = spread(i, share, steps[f.action]);
			f.lasting = f.action != ACT_KILL && i % 2;
			if (one(m, &f, err) < 0)
				return -1;
		}
	}
	return 0;
}

int cmd_boot(struct world *w, int argc, char **argv, struct err *err)
{
	struct boot m = { .w = w, .verbose = getenv("FAULTS_VERBOSE") };
	unsigned int n = argc > 1 ? (unsigned int)atoi(argv[1]) : 20;
	const pid_t known[] = { sink_pid(w) };
	uint64_t until;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (at_place(&m, places[i], n / ARRAY_SIZE(places), err) < 0)
			return -1;
	until = now_ms() + LONELY_BOUND_MS;
	while (left_children(getpid(), known, 1, err) < 0 && now_ms() < until)
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	if (left_children(getpid(), known, 1, err) < 0)
		loss(&m.tally, "%s", err->text);
	printf("births: %u faults injected with %s (%u not reached), %u losses\n", m.tally.injected,
	       w->engine, m.tally.unreached, m.tally.losses);
	return m.tally.losses ? err_set(err, ERR_PRECONDITION, "%u losses", m.tally.losses) : 0;
}
