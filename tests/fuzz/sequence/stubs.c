/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "runtime/prepare/report.h"
#include "tests/fuzz/sequence/world.h"

/* What the fuzzer tells the runs that the shim started, and how that is to end. */

void add_stray(struct strays *s, int fd, pid_t pid)
{
	ASSERT(s->n < W_STRAYS);
	s->v[s->n++] = (struct stray){ fd, pid };
}

struct stray take_stray(struct strays *s, unsigned int i)
{
	struct stray taken = s->v[i];

	s->v[i] = s->v[--s->n];
	return taken;
}

static bool wait_answer(const struct world *w, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, w->bound_ms) > 0;
}

void order(struct world *w, int fd, enum stub_what what, int number, const void *bytes, size_t n)
{
	static struct stub_order o;
	char byte;

	o.what = what;
	o.number = number;
	o.n = (uint32_t)n;
	ASSERT(n <= sizeof(o.report));
	if (n)
		memcpy(o.report, bytes, n);
	if (send(fd, &o, STUB_ORDER_HEAD + n, MSG_NOSIGNAL) < 0)
		tell(w, "  (a run is gone already)");
	else if (what == STUB_REPORT && !wait_answer(w, fd))
		wrong(w, "a run of prepare cannot report");
	else if (what == STUB_REPORT)
		(void)!recv(fd, &byte, 1, 0); /* or it was killed for what it said */
}

bool wait_end(const struct world *w, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;

	return poll(&p, 1, w->bound_ms) > 0 && recv(fd, &byte, 1, MSG_DONTWAIT) <= 0;
}

/* Its end has been seen by the shim, which knows it. */
static bool wait_reaped(const struct world *w, pid_t pid)
{
	for (int i = 0; i < w->bound_ms * 10; i++) {
		if (kill(pid, 0) < 0)
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
	}
	return false;
}

/* The operation waits for it: it has gone on when this returns, unless two runs are to race. */
void run_ended(struct world *w, const struct m_run *r)
{
	if (w->racing[0])
		w->raced[w->n_raced++ % ARRAY_SIZE(w->raced)] = r->pid;
	else if (!wait_reaped(w, r->pid))
		wrong(w, "the end of %s was not seen", r->verb);
}

void race_end(struct world *w)
{
	for (; w->n_raced; w->n_raced--)
		if (!wait_reaped(w, w->raced[w->n_raced - 1]))
			wrong(w, "the end of a run was not seen");
}

/* --- runs of prepare and the engine ---------------------------------------------------------- */

static enum m_part part_of(const struct stub_hello *h)
{
	if (h->kind == STUB_ENGINE)
		return M_ENGINE;
	return h->kind == STUB_STEP || str_eq(h->verb, "engine-error") || str_eq(h->verb, "edit")
		       ? M_STEP
		       : M_CHECK;
}

static bool is_run_of(const struct m_op *op, const struct stub_hello *h)
{
	const struct m_run *r = &op->runs[part_of(h)];

	return op->used && r->verb && r->wanted && str_eq(r->verb, h->verb) &&
	       str_eq(op->task->init.id, h->container) &&
	       (!h->exec[0] || str_eq(op->process->id, h->exec));
}

/* Only one may use the streams of an exec. */
static void expect_ended(struct world *w, pid_t engine)
{
	struct pollfd p = { .events = POLLIN };

	for (unsigned int i = 0; engine && i < w->dying.n; i++) {
		p.fd = w->dying.v[i].fd;
		if (w->dying.v[i].pid == engine && poll(&p, 1, 0) <= 0)
			wrong(w, "a refused exec has a process, and its engine %d still runs",
			      (int)engine);
	}
}

/*
 * The shim has made the process of an exec that was refused. It would exit at once; in one case of
 * two it is held back, for what may come before that.
 */
static void refused_begins(struct world *w, struct m_op *op)
{
	struct m_outcome o = { .ok = true, .status = M_REFUSED_STATUS };
	struct m_run *run = &op->runs[M_STEP];

	expect_ended(w, op->killed);
	o.pid = run->pid;
	/* As with any process, and a call that waits for the slot: see make_process(). */
	o.ended = draw(w, 2) && !op->slot->deferred.n;
	if (o.ended) {
		order(w, run->fd, STUB_EXIT, 0, NULL, 0);
		fd_close(&run->fd);
	}
	o.fd = run->fd;
	tell(w, "  %s of %s is refused: process %d%s", op->process->id, op->task->init.id,
	     (int)o.pid, o.ended ? ", which ends" : "");
	model_refused(&w->model, op, &o);
	model_settle(&w->model);
}

static void run_begins(struct world *w, const struct stub_hello *h, int fd)
{
	for (size_t i = 0; i < M_OPS; i++) {
		struct m_op *op = &w->model.ops[i];
		struct m_run *r = &op->runs[part_of(h)];

		if (!is_run_of(op, h))
			continue;
		w->seen->runs++;
		r->wanted = false;
		r->fd = fd;
		r->pid = h->pid;
		r->age = 0;
		if (op->kind == M_OP_LOOK)
			answer_look(w, op);
		else if (str_eq(h->verb, "edit"))
			answer_edit(w, op);
		else if (str_eq(h->verb, "refused"))
			refused_begins(w, op);
		return;
	}
	if (str_eq(h->verb, "engine-error") && str_eq(h->container, w->racing)) {
		add_stray(&w->dying, fd, h->pid);
		return;
	}
	wrong(w, "a run of %s %s for %s %s that nothing called for",
	      h->kind == STUB_PREPARE ? "prepare" : "the engine", h->verb, h->container, h->exec);
}

static void holder_begins(struct world *w, pid_t pid, int fd)
{
	struct m_run *r = &w->model.pod.holder;

	if (!r->wanted)
		wrong(w, "a run of pause that nothing called for");
	w->seen->runs++;
	r->wanted = false;
	r->fd = fd;
	r->pid = pid;
}

void newcomer_read(struct world *w, unsigned int i)
{
	struct stray s = take_stray(&w->newcomers, i);
	struct stub_hello h;

	if (recv(s.fd, &h, sizeof(h), MSG_DONTWAIT) != sizeof(h)) {
		close(s.fd); /* it was killed before it could say a word */
		return;
	}
	if (h.kind == STUB_PROCESS)
		add_stray(&w->processes, s.fd, h.pid);
	else if (h.kind == STUB_PAUSE)
		holder_begins(w, h.pid, s.fd);
	else
		run_begins(w, &h, s.fd);
}

static uint32_t any_status(struct world *w)
{
	static const uint8_t statuses[] = { 0, 0, 1, 2, 7, 111, 126, 127, 132, 137, 139, 143, 255 };

	return statuses[draw(w, ARRAY_SIZE(statuses))];
}

/* Create and exec make a process, which has in one case of four ended when the engine returns. */
static void make_process(struct world *w, const struct m_op *op, struct m_outcome *o)
{
	int32_t pid = 0;

	/* Whether a call that waits for the slot still meets it alive would be left to chance. */
	o->ended = draw(w, op->rpc == M_CREATE ? 12 : 4) == 0 && !op->slot->deferred.n &&
		   !w->racing[0];
	o->status = any_status(w);
	o->fd = -1;
	order(w, op->runs[M_ENGINE].fd, o->ended ? STUB_DIE_SOON : STUB_SPAWN, (int)o->status, NULL,
	      0);
	if (recv(op->runs[M_ENGINE].fd, &pid, sizeof(pid), 0) != sizeof(pid))
		wrong(w, "a run of the engine was ended while it worked");
	o->pid = pid;
	if (o->ended)
		return;
	/* It says hello on a connection of its own. */
	while (o->fd < 0) {
		int fd = accept(w->control, NULL, NULL);
		struct stub_hello h;

		if (fd < 0 || recv(fd, &h, sizeof(h), 0) != sizeof(h))
			wrong(w, "a process did not come up");
		if (h.kind == STUB_PROCESS && h.pid == pid)
			o->fd = fd;
		else if (h.kind == STUB_PROCESS)
			wrong(w, "a process that nobody made");
		else
			run_begins(w, &h, fd);
	}
}

/* What is behind the gate is for the engine to read once the check has passed, and not before. */
static void read_gate(struct world *w, const struct m_op *op)
{
	static const char *const states[] = { "waits", "is open", "is shut" };
	enum m_gate gate = op->gated ? model_gate(op) : M_GATE_OPEN;
	int32_t n = 0, size = op->process->big ? W_BIG : W_SMALL;
	int fd = op->runs[M_ENGINE].fd;

	order(w, fd, STUB_GATE, gate == M_GATE_WAITS, NULL, 0);
	if (!wait_answer(w, fd) || recv(fd, &n, sizeof(n), MSG_DONTWAIT) != sizeof(n))
		wrong(w, "the engine of %s reads in vain, its gate %s", op->process->id,
		      states[gate]);
	if (n != (gate == M_GATE_WAITS ? STUB_GATE_WAITS : gate == M_GATE_OPEN ? size : 0))
		wrong(w, "the gate of %s %s, but the engine read %d bytes", op->process->id,
		      states[gate], (int)n);
}

static bool makes_process(const struct m_op *op)
{
	const char *verb = op->runs[M_ENGINE].verb;

	return !op->undoing && (str_eq(verb, "create") || str_eq(verb, "exec"));
}

/* The engine comes to its end without anything to run; what it says then is up to it. */
static void engine_gives_up(struct world *w, const struct m_op *op, struct m_outcome *o)
{
	unsigned int how = (unsigned int)draw(w, 4);
	int fd = op->runs[M_ENGINE].fd;

	o->code = how > 1 ? 0 : M_UNKNOWN;
	if (how > 1)
		order(w, fd, STUB_LOG, 0, NULL, 0);
	if (how == 3)
		order(w, fd, STUB_KILL, SIGKILL, NULL, 0);
	else
		order(w, fd, STUB_EXIT, how == 0 ? 0 : 1, NULL, 0);
}

static void engine_works(struct world *w, const struct m_op *op, struct m_outcome *o)
{
	bool makes = makes_process(op);
	unsigned int how = (unsigned int)draw(w, 20);
	bool leaves;
	int fd = op->runs[M_ENGINE].fd;

	if (w->racing[0] && op->rpc == M_CREATE && !op->undoing && (how == 0 || how == 2))
		how = 3; /* its words take their time: what the check says comes first */
	leaves = makes && (how > 3 || how == 0);
	o->ok = how > 3;
	if (leaves)
		make_process(w, op, o);
	if (o->ok && makes)
		order(w, fd, STUB_PID_FILE, 0, NULL, 0);
	if (how == 0 && makes)
		o->code = M_UNKNOWN; /* success without a word of the process */
	else if (how == 2 && makes)
		o->code = M_UNKNOWN; /* a failure without a log */
	else if (!o->ok && makes)
		order(w, fd, STUB_LOG, 0, NULL, 0);
	if (leaves && !o->ok && o->fd >= 0)
		add_stray(&w->orphans, o->fd, o->pid);
	if (how == 1)
		order(w, fd, STUB_KILL, SIGKILL, NULL, 0);
	else
		order(w, fd, STUB_EXIT, o->ok || (how == 0 && makes) ? 0 : 1 + (int)how, NULL, 0);
}

/* False: it goes on to wait for its gate. */
static bool finish_engine(struct world *w, struct m_op *op, struct m_outcome *o)
{
	bool exec = !op->undoing && str_eq(op->runs[M_ENGINE].verb, "exec");

	if (exec && model_gate(op) != M_GATE_OPEN) {
		if (draw(w, 2))
			read_gate(w, op);
		if (model_gate(op) == M_GATE_WAITS && draw(w, 3))
			return false;
		engine_gives_up(w, op, o);
	} else {
		if (exec)
			read_gate(w, op);
		engine_works(w, op, o);
	}
	fd_close(&op->runs[M_ENGINE].fd);
	return true;
}

/* --- one run ends ---------------------------------------------------------------------------- */

static void step_ends(struct world *w, const struct m_op *op, struct m_outcome *o)
{
	const struct m_run *r = &op->runs[M_STEP];

	if (str_eq(r->verb, "engine-error")) {
		o->code = words(w, r->fd);
		return;
	}
	o->ok = draw(w, 6);
	order(w, r->fd, o->ok || draw(w, 2) ? STUB_EXIT : STUB_KILL, o->ok ? 0 : SIGKILL, NULL, 0);
}

/*
 * One run ends, somehow. @race: the container's init ends at the same moment, if that makes no
 * difference to anybody who looks from outside; with others of its operation it never does.
 */
void run_finish(struct world *w, struct m_op *op, enum m_part part, bool race)
{
	struct m_outcome o = { .fd = -1 };
	struct m_run *r = &op->runs[part];
	struct m_process *init = &op->task->init;
	uint32_t status = any_status(w);

	race = race && !w->racing[0] && op->rpc == M_START && str_eq(r->verb, "start") &&
	       init->fd >= 0 && !init->deferred.n;
	if (part == M_CHECK) {
		if (r->answered)
			end_lingering(w, op, r);
		else
			prepare_speaks(w, op);
		return;
	}
	if (part == M_STEP)
		step_ends(w, op, &o);
	else if (!finish_engine(w, op, &o))
		return;
	tell(w, "%s of %s %s ends: %s, code %d, process %d%s", r->verb, init->id, op->process->id,
	     o.ok ? "well" : "badly", o.code, (int)o.pid, o.ended ? " that has ended" : "");
	fd_close(&r->fd);
	run_ended(w, r);
	if (race)
		order(w, init->fd, STUB_EXIT, (int)status, NULL, 0);
	model_done(&w->model, op, part, &o);
	if (race)
		process_end(w, init, status);
}

/* --- processes ------------------------------------------------------------------------------- */

/* The process has been told, or sent a signal. */
void process_end(struct world *w, struct m_process *p, uint32_t status)
{
	struct m_task *task = NULL;

	for (size_t i = 0; i < M_TASKS; i++) {
		struct m_task *t = &w->model.tasks[i];

		if (t->used && (p == &t->init || (p >= t->execs && p < t->execs + M_EXECS)))
			task = t;
	}
	ASSERT(task);
	tell(w, "%s of %s ends with %u", p->id, task->init.id, status);
	if (!wait_end(w, p->fd) || !wait_reaped(w, p->pid))
		wrong(w, "%s of %s did not end", p->id, task->init.id);
	fd_close(&p->fd);
	model_exit(&w->model, task, p, status);
}

void orphan_end(struct world *w)
{
	struct stray s;

	if (!w->orphans.n)
		return;
	s = take_stray(&w->orphans, (unsigned int)draw(w, w->orphans.n));
	tell(w, "what a failed run left behind ends");
	order(w, s.fd, STUB_EXIT, 3, NULL, 0);
	if (!wait_end(w, s.fd))
		wrong(w, "a process did not end");
	close(s.fd);
}
