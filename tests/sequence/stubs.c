/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "runtime/prepare/report.h"
#include "tests/sequence/world.h"

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

void order(struct world *w, int fd, enum stub_what what, int number, const void *bytes, size_t n)
{
	static struct stub_order o;

	o.what = what;
	o.number = number;
	o.n = (uint32_t)n;
	ASSERT(n <= sizeof(o.report));
	if (n)
		memcpy(o.report, bytes, n);
	if (send(fd, &o, STUB_ORDER_HEAD + n, MSG_NOSIGNAL) < 0)
		tell(w, "  (a run is gone already)");
}

bool wait_end(const struct world *w, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;

	return poll(&p, 1, w->bound_ms) > 0 && recv(fd, &byte, 1, MSG_DONTWAIT) <= 0;
}

/* --- reports --------------------------------------------------------------------------------- */

static void good_report(const struct world *w, struct report *r, bool private_pid)
{
	report_init(r);
	r->verdict = VERDICT_NATIVE;
	r->flags = private_pid ? REPORT_PRIVATE_PID : 0;
	(void)str_fmt(r->engine, sizeof(r->engine), "%s/engine", w->dir);
}

/* All the ways not to say yes; the code the caller is told. */
static int bad_prepare(struct world *w, int fd)
{
	static const struct {
		enum err_code code;
		int rpc;
	} codes[] = { { ERR_INVALID, 3 }, { ERR_NOT_FOUND, 5 }, { ERR_IO, 2 },
		      { ERR_LIMIT, 8 },	  { ERR_NOMEM, 14 },	{ ERR_TIMEOUT, 4 } };
	unsigned int which = (unsigned int)draw(w, 7), n = (unsigned int)draw(w, ARRAY_SIZE(codes));
	struct report r;

	good_report(w, &r, false);
	switch (which) {
	case 0:
		r.verdict = VERDICT_REFUSE;
		(void)str_copy(r.line, sizeof(r.line), "crossarch[no-emulator]: no");
		order(w, fd, STUB_REPORT, 0, &r, sizeof(r));
		order(w, fd, STUB_EXIT, 0, NULL, 0);
		return M_REFUSED;
	case 1:
		r.verdict = VERDICT_NONE;
		r.err.code = codes[n].code;
		(void)str_copy(r.err.text, sizeof(r.err.text), "something failed");
		order(w, fd, STUB_REPORT, 0, &r, sizeof(r));
		order(w, fd, STUB_EXIT, 0, NULL, 0);
		return codes[n].rpc;
	case 2:
		order(w, fd, STUB_KILL, SIGKILL, NULL, 0);
		return M_UNKNOWN;
	case 3: /* killed after it had said yes: nothing may come of it */
		order(w, fd, STUB_REPORT, 0, &r, sizeof(r));
		order(w, fd, STUB_KILL, SIGSYS, NULL, 0);
		return M_UNKNOWN;
	case 4:
		order(w, fd, STUB_EXIT, 1, NULL, 0);
		return M_UNKNOWN;
	case 5:
		order(w, fd, STUB_REPORT, 0, &r, sizeof(r) / 2);
		order(w, fd, STUB_EXIT, 0, NULL, 0);
		return M_INVALID;
	default:
		r.version++;
		order(w, fd, STUB_REPORT, 0, &r, sizeof(r));
		order(w, fd, STUB_EXIT, 0, NULL, 0);
		return M_INVALID;
	}
}

/* The engine's own words, as prepare would have read them from its log. */
static int words(struct world *w, int fd)
{
	unsigned int which = (unsigned int)draw(w, 4);
	struct report r;

	report_init(&r);
	if (which < 2)
		(void)str_copy(r.err.text, sizeof(r.err.text),
			       which ? "it broke" : "container does not exist");
	if (which < 3)
		order(w, fd, STUB_REPORT, 0, &r, sizeof(r));
	order(w, fd, which < 3 ? STUB_EXIT : STUB_KILL, which < 3 ? 0 : SIGSEGV, NULL, 0);
	return which ? M_UNKNOWN : M_NOT_FOUND;
}

/* --- runs of prepare and the engine ---------------------------------------------------------- */

/* Whatever it finds, dies of or says: the exit it looks into is told afterwards. */
static void answer_look(struct world *w, struct m_op *op)
{
	struct m_outcome o = { .ok = true };
	struct report r;

	good_report(w, &r, false);
	r.verdict = VERDICT_REFUSE;
	if (draw(w, 2))
		order(w, op->fd, STUB_REPORT, 0, &r, sizeof(r));
	order(w, op->fd, draw(w, 3) ? STUB_EXIT : STUB_KILL, SIGTERM, NULL, 0);
	fd_close(&op->fd);
	tell(w, "  a look at the exit ends");
	model_done(&w->model, op, &o);
	model_settle(&w->model);
}

static void run_begins(struct world *w, const struct stub_hello *h, int fd)
{
	for (size_t i = 0; i < M_OPS; i++) {
		struct m_op *op = &w->model.ops[i];

		if (!op->used || !op->wanted || !op->task || !str_eq(op->verb, h->verb) ||
		    !str_eq(op->task->init.id, h->container))
			continue;
		w->seen->runs++;
		op->wanted = false;
		op->fd = fd;
		op->pid = h->pid;
		op->age = 0;
		if (op->kind == M_OP_LOOK)
			answer_look(w, op);
		return;
	}
	wrong(w, "a run of %s %s for %s that nothing called for",
	      h->kind == STUB_PREPARE ? "prepare" : "the engine", h->verb, h->container);
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
	else
		run_begins(w, &h, s.fd);
}

static uint32_t any_status(struct world *w)
{
	static const uint8_t statuses[] = { 0, 0, 1, 2, 7, 126, 127, 132, 137, 143, 255 };

	return statuses[draw(w, ARRAY_SIZE(statuses))];
}

/* Create and exec make a process, which has in one case of four ended when the engine returns. */
static void make_process(struct world *w, const struct m_op *op, struct m_outcome *o)
{
	int32_t pid = 0;

	/* Whether a call that waits for the slot still meets it alive would be left to chance. */
	o->ended = draw(w, op->rpc == M_CREATE ? 12 : 4) == 0 && !op->slot->deferred.n;
	o->status = any_status(w);
	o->fd = -1;
	order(w, op->fd, o->ended ? STUB_DIE_SOON : STUB_SPAWN, (int)o->status, NULL, 0);
	if (recv(op->fd, &pid, sizeof(pid), 0) != sizeof(pid))
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

static void finish_engine(struct world *w, const struct m_op *op, struct m_outcome *o)
{
	bool makes = op->stage == M_ENGINE && (op->rpc == M_CREATE || str_eq(op->verb, "exec"));
	unsigned int how = (unsigned int)draw(w, 20);
	bool leaves = makes && (how > 3 || how == 0);

	o->ok = how > 3;
	if (leaves)
		make_process(w, op, o);
	if (o->ok && makes)
		order(w, op->fd, STUB_PID_FILE, 0, NULL, 0);
	if (how == 0 && makes)
		o->code = M_UNKNOWN; /* success without a word of the process */
	else if (how == 2 && makes)
		o->code = M_UNKNOWN; /* a failure without a log */
	else if (!o->ok && makes)
		order(w, op->fd, STUB_LOG, 0, NULL, 0);
	if (leaves && !o->ok && o->fd >= 0)
		add_stray(&w->orphans, o->fd, o->pid);
	if (how == 1)
		order(w, op->fd, STUB_KILL, SIGKILL, NULL, 0);
	else
		order(w, op->fd, STUB_EXIT, o->ok || (how == 0 && makes) ? 0 : 1 + (int)how, NULL,
		      0);
}

/*
 * One run ends, somehow. @race: the container's init ends at the same moment, if that makes no
 * difference to anybody who looks from outside.
 */
void op_finish(struct world *w, struct m_op *op, bool race)
{
	struct m_outcome o = { .fd = -1, .private_pid = draw(w, 2) };
	struct m_process *init = &op->task->init;
	uint32_t status = any_status(w);
	struct report r;

	race = race && op->rpc == M_START && str_eq(op->verb, "start") && init->fd >= 0 &&
	       !init->deferred.n;
	if (op->stage == M_WORDS) {
		o.code = words(w, op->fd);
	} else if (op->stage == M_PREPARE && draw(w, 10)) {
		o.ok = true;
		good_report(w, &r, o.private_pid);
		order(w, op->fd, STUB_REPORT, 0, &r, sizeof(r));
		order(w, op->fd, STUB_EXIT, 0, NULL, 0);
	} else if (op->stage == M_PREPARE) {
		o.code = bad_prepare(w, op->fd);
	} else {
		finish_engine(w, op, &o);
	}
	tell(w, "%s of %s ends: %s, code %d, process %d%s", op->verb, init->id,
	     o.ok ? "well" : "badly", o.code, (int)o.pid, o.ended ? " that has ended" : "");
	fd_close(&op->fd);
	if (race)
		order(w, init->fd, STUB_EXIT, (int)status, NULL, 0);
	model_done(&w->model, op, &o);
	if (race)
		process_end(w, init, status);
	model_settle(&w->model);
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
	if (!wait_end(w, p->fd))
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
