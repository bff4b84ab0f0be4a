/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/tools/faults/life.h"

#include <signal.h>

#include "runtime/base/str.h"

const char *const phase_name[PHASES] = { "start of the shim",
					 "Create",
					 "Start",
					 "another connection",
					 "Exec",
					 "Exec with a terminal",
					 "Exec with output",
					 "delete of what a killed shim left",
					 "Kill",
					 "Delete",
					 "delete" };

/* In half a second a new connection is served, or there is something in the way. */
#define SERVED_MS 500

/* Of one process in one phase: some hundred, and in the five seconds of a client some more. */
#define CALLS_MAX 20000
/* While somebody waits to be let in the shim is idle. */
#define WAITING_CALLS_MAX 500

static const char *const true_words[] = { "/bin/true", NULL };
/* The loss of its terminal does not end it. */
static const char *const brief_words[] = { "/bin/sh", "-c", "trap '' HUP; sleep 0.2", NULL };

/* --- the phases ------------------------------------------------------------------------------- */

static int exec_and_delete(struct box *b, const char *id, const char *const *words, struct err *err)
{
	return box_exec_twice(b, id, words, err) < 0 ? -1 : box_delete(b, id, err);
}

/* One that fails is there for a moment, and may not be in the way of the next. */
static int exec_on_terminal(struct life *l, struct err *err)
{
	struct box *b = &l->box;
	int rc;

	b->exec_terminal = true;
	rc = exec_and_delete(b, "t", l->at == PH_TERMINAL ? brief_words : true_words, err);
	b->exec_terminal = false;
	return rc;
}

static int ask_late(struct life *l, struct peer *p, uint32_t stream, struct err *err)
{
	if (peer_wait(p, stream, SERVED_MS, NULL, err) == 0)
		return 0;
	if (err->code != ERR_TIMEOUT)
		return -1;
	/* What the shim lacked is there again. */
	trace_end(&l->trace, &l->seen);
	return peer_wait(p, stream, RPC_BOUND_MS, NULL, err);
}

/* Somebody else calls. */
static int connect_another(struct life *l, struct err *err)
{
	Crossarch__ProcessRequest request = CROSSARCH__PROCESS_REQUEST__INIT;
	struct peer other;
	uint32_t stream;
	int rc;

	request.id = l->box.id;
	rc = peer_open(l->box.pod->socket, &other, err);
	if (rc == 0)
		rc = peer_send(&other, "State", &request.base, 0, &stream, err);
	if (rc == 0)
		rc = ask_late(l, &other, stream, err);
	peer_close(&other);
	return rc;
}

/*
 * One engine or unmounter that fails is made good by `delete` itself: it says that all is well, and
 * nobody asks again.
 */
static bool must_leave_nothing(const struct life *l)
{
	return !l->seen.fired || (l->fault.role != ROLE_SELF && !l->fault.lasting);
}

/* The shim is killed; `delete` finds containers, and has to end them. */
static int abandon(struct life *l, struct err *err)
{
	struct pod *pod = l->box.pod;
	int rc;

	if (l->at != PH_ABANDONED)
		return 0;
	kill(pod->shim, SIGKILL);
	while (pod_alive(pod))
		pause_ms(1);
	rc = box_clean(&l->box, &l->trace, &l->fault, err);
	trace_end(&l->trace, &l->seen);
	if (rc < 0 || (must_leave_nothing(l) && left_by_box(&l->box, err) < 0))
		return -1;
	return err_set(err, ERR_PRECONDITION, "the rest of this life is over, too");
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
	case PH_CONNECT:
		return connect_another(l, err);
	case PH_EXEC:
		return exec_and_delete(b, "e", true_words, err);
	case PH_TERMINAL:
		return exec_on_terminal(l, err);
	case PH_OUTPUT:
		return t ? exec_with_output(l, err) : 0;
	case PH_ABANDONED:
		return abandon(l, err);
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

/* The shim's own actions are traced from their first call on, not the shim that is there. */
static bool is_action(enum phase phase)
{
	return phase == PH_BOOT || phase == PH_CLEAN || phase == PH_ABANDONED;
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
	if (!is_action(l->at) && trace_begin(&l->trace, l->stage->pod.shim, &l->fault, err) < 0)
		ASSERT(!"the shim can be traced");
	rc = run_phase(l, l->at, err);
	if (rc == 0 && l->at == PH_BOOT)
		rc = settle_boot(l, err);
	trace_end(&l->trace, &l->seen);
	return rc;
}

/* 1: cut short. */
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
		return why.code == ERR_EXISTS ? err_in(err, "after %s", phase_name[phase]) : 1;
	}
	return 0;
}

/* --- what has to hold ------------------------------------------------------------------------- */

/* epoll_wait() failing is the one error a shim may end of; killing it is the others' cause. */
static bool may_end(const struct life *l)
{
	return l->at == PH_ABANDONED ||
	       (l->fault.action == ACT_KILL &&
		(l->fault.role == ROLE_SELF || l->fault.role == ROLE_DAEMON) && l->at != PH_CLEAN);
}

/* The shim is gone: both containers were its; containerd cleans up after both. */
static int check_without_shim(struct life *l, struct err *err)
{
	if (!may_end(l))
		return err_set(err, ERR_PRECONDITION, "the shim is gone");
	return sink_check(l->stage->w, l->box.from, l->box.id, 0, 127, 0, err);
}

static int check(struct life *l, int rc, enum outcome *ret, struct err *err)
{
	struct box *b = &l->box;

	*ret = rc ? OUT_FAILED : OUT_DONE;
	if (rc > 0 && box_rescue(b, err) < 0)
		return -1;
	if (left_by_box(b, err) < 0)
		return -1;
	if (!pod_alive(&l->stage->pod)) {
		*ret = OUT_ENDED;
		return check_without_shim(l, err);
	}
	if (sink_check(l->stage->w, b->from, b->id, b->wanted, b->maybe, 15000, err) < 0)
		return -1;
	return stage_check(l->stage, err);
}

/* A step that failed was done again and again: more calls than any life makes. */
static int check_calls(const struct life *l, struct err *err)
{
	unsigned int calls = l->seen.steps[ACT_KILL];
	unsigned int max = l->at == PH_CONNECT ? WAITING_CALLS_MAX : CALLS_MAX;

	return calls <= max ? 0 : err_set(err, ERR_LIMIT, "it made %u calls", calls);
}

/* Without a fault nothing may fail, or there would be nothing to see. */
static int check_healthy(const struct life *l, enum outcome outcome, const struct err *why,
			 struct err *err)
{
	if (l->fault.step || outcome == OUT_DONE || l->at == PH_ABANDONED)
		return 0;
	return err_set(err, ERR_PRECONDITION, "without a fault: %.400s", why->text);
}

int life_run(struct life *l, enum outcome *ret, struct err *err)
{
	struct err why = ERR_INIT;
	int rc = live(l, &why);

	if (rc < 0) {
		*err = why;
		return -1;
	}
	if (check(l, rc, ret, err) < 0 || check_calls(l, err) < 0)
		return -1;
	return check_healthy(l, *ret, &why, err);
}

void life_describe(const struct life *l, char *ret, size_t size)
{
	str_fmt(ret, size, "%s in %s of %s at step %u (%s)%s", action_name[l->fault.action],
		phase_name[l->at], role_name[l->fault.role], l->fault.step, l->seen.call,
		l->fault.lasting ? ", lasting" : "");
}
