/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/sequence/model_parts.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/mem.h"

/* --- the table of states (shim/README.md, Tasks) ----------------------------------- */

/* c: created, r: running, p: paused, s: stopped; what is not there is refused. */
static const char *const allowed_in[M_RPC_N] = {
	[M_CREATE] = "",     [M_START] = "c",	    [M_STATE] = "crps",	  [M_WAIT] = "crps",
	[M_KILL] = "crps",   [M_DELETE] = "cs",	    [M_EXEC] = "cr",	  [M_PIDS] = "crps",
	[M_PAUSE] = "r",     [M_RESUME] = "p",	    [M_UPDATE] = "crp",	  [M_CHECKPOINT] = "rp",
	[M_RESIZE] = "crps", [M_CLOSE_IO] = "crps", [M_CONNECT] = "crps", [M_SHUTDOWN] = "crps",
};

/* What needs the slot of a process waits its turn there, and is judged when that comes. */
static const bool needs_slot[M_RPC_N] = {
	[M_START] = true,  [M_DELETE] = true, [M_PAUSE] = true,
	[M_RESUME] = true, [M_UPDATE] = true, [M_CHECKPOINT] = true,
};

/* Those that take an exec id; the others are about the container. */
static const bool takes_exec[M_RPC_N] = {
	[M_START] = true,  [M_STATE] = true,  [M_WAIT] = true,	   [M_KILL] = true,
	[M_DELETE] = true, [M_RESIZE] = true, [M_CLOSE_IO] = true,
};

bool model_allows(enum m_rpc rpc, enum m_state state)
{
	static const char letters[M_STATE_N] = { '?', 'c', 'r', 'p', 's' };

	return strchr(allowed_in[rpc], letters[state]);
}

/* --- small things ----------------------------------------------------------------------------- */

void m_push(struct m_queue *q, struct m_call *c)
{
	ASSERT(q->n < M_QUEUE);
	q->v[q->n++] = c;
}

struct m_call *m_pop(struct m_queue *q)
{
	struct m_call *c = q->v[0];

	q->n--;
	memmove(q->v, q->v + 1, q->n * sizeof(q->v[0]));
	return c;
}

void m_answer(struct m_call *c, int code)
{
	if (!c)
		return;
	c->due = true;
	c->code = code;
	if (c->gone)
		c->open = false;
}

void m_answer_ended(struct m_call *c, const struct m_process *p)
{
	c->status = p->status;
	c->ended = true;
	m_answer(c, M_OK);
}

bool m_is_init(const struct m_task *t, const struct m_process *p)
{
	return p == &t->init;
}

void m_publish(struct model *m, enum m_topic topic, const struct m_task *t,
	       const struct m_process *p)
{
	struct m_event *e = &m->events[m->n_events++];

	ASSERT(m->n_events <= M_EVENTS);
	*e = (struct m_event){ .topic = topic };
	strcpy(e->container, t->init.id);
	strcpy(e->process, p->id);
	if (topic != M_EV_EXEC_ADDED && topic != M_EV_PAUSED && topic != M_EV_RESUMED)
		e->pid = p->pid;
	if (topic == M_EV_EXIT || topic == M_EV_DELETE)
		e->status = p->status;
}

void m_all_runnable(struct model *m, struct m_queue *q)
{
	while (q->n)
		m_push(&m->runnable, m_pop(q));
}

bool model_has_task(const struct model *m)
{
	for (size_t i = 0; i < M_TASKS; i++)
		if (m->tasks[i].used)
			return true;
	return false;
}

struct m_task *model_task(struct model *m, const char *id)
{
	for (size_t i = 0; i < M_TASKS; i++)
		if (m->tasks[i].used && strcmp(m->tasks[i].init.id, id) == 0)
			return &m->tasks[i];
	return NULL;
}

static struct m_process *find_exec(struct m_task *t, const char *id)
{
	for (size_t i = 0; i < M_EXECS; i++)
		if (t->execs[i].used && strcmp(t->execs[i].id, id) == 0)
			return &t->execs[i];
	return NULL;
}

/* --- the end of processes (shim/README.md, Order) ---------------------------------- */

static bool starting(const struct m_process *p)
{
	return p->op && (p->op->rpc == M_START || p->op->rpc == M_CREATE);
}

void m_settle(struct model *m, struct m_task *t, struct m_process *p)
{
	if (!p->exited || p->published || p->looked_at || starting(p))
		return;
	if (m_is_init(t, p) && t->kills_rest)
		return;
	for (size_t i = 0; m_is_init(t, p) && i < M_EXECS; i++) {
		const struct m_process *e = &t->execs[i];

		if (e->used && !e->published && (e->pid || starting(e)))
			return;
	}
	p->published = true;
	m_publish(m, M_EV_EXIT, t, p);
	while (p->waiters.n)
		m_answer_ended(m_pop(&p->waiters), p);
	m_all_runnable(m, &p->deferred);
	if (!m_is_init(t, p))
		m_settle(m, t, &t->init);
}

/* Statuses of which something on disk may be the cause: that is looked into before they are told.
 */
static bool is_suspicious(uint32_t status, bool init)
{
	return (status == 1 && init) || status == 2 || status == 111 || status == 126 ||
	       status == 127 || status == 255 || status == 128 + SIGILL ||
	       status == 128 + SIGSEGV || status == 128 + SIGSYS;
}

void model_exit(struct model *m, struct m_task *t, struct m_process *p, uint32_t status)
{
	struct m_op *op;

	p->exited = true;
	if (p->state != M_CREATING) /* until Create is answered there is no container */
		p->state = M_STOPPED;
	p->status = status;
	p->fd = -1;
	if (is_suspicious(status, m_is_init(t, p)) && !p->deleting && !p->refused) {
		op = m_begin(m, t, NULL, p, NULL);
		op->kind = M_OP_LOOK;
		m_want(m, op, M_CHECK, "after");
		p->looked_at = true;
	}
	if (m_is_init(t, p))
		m_limit(m, t);
	if (m_is_init(t, p) && !t->private_pid) {
		op = m_begin(m, t, NULL, p, NULL);
		op->kind = M_OP_KILL_REST;
		m_want(m, op, M_ENGINE, "kill-all");
		t->kills_rest = true;
	}
	m_settle(m, t, p);
}

/* --- Create, Start, Delete -------------------------------------------------------------------- */

static void forget_process(struct model *m, struct m_process *p)
{
	while (p->waiters.n)
		m_answer(m_pop(&p->waiters), M_NOT_FOUND);
	m_all_runnable(m, &p->deferred);
	memset(p, 0, sizeof(*p));
	p->fd = -1;
}

void m_forget_task(struct model *m, struct m_task *t)
{
	for (size_t i = 0; i < M_OPS; i++) {
		struct m_op *op = &m->ops[i];

		if (!op->used || op->task != t)
			continue;
		m_answer(op->call, M_NOT_FOUND);
		m_end(m, op, true);
	}
	for (size_t i = 0; i < M_EXECS; i++)
		if (t->execs[i].used)
			forget_process(m, &t->execs[i]);
	forget_process(m, &t->init);
	t->used = false;
}

static void create(struct model *m, struct m_call *c)
{
	struct m_task *t = NULL;

	if (c->bad_id || c->bad_argument) {
		m_answer(c, M_INVALID);
		return;
	}
	if (model_task(m, c->id)) {
		m_answer(c, M_EXISTS);
		return;
	}
	for (size_t i = 0; i < M_TASKS; i++)
		if (!m->tasks[i].used)
			t = &m->tasks[i];
	ASSERT(t);
	memset(t, 0, sizeof(*t));
	t->used = t->init.used = true;
	t->init.fd = -1;
	strcpy(t->init.id, c->id);
	m_want(m, m_begin(m, t, &t->init, &t->init, c), M_CHECK, "create");
}

static void delete_exec(struct model *m, struct m_process *p, struct m_call *c)
{
	c->pid = p->pid;
	c->status = p->status;
	c->ended = p->exited;
	m_answer(c, M_OK);
	forget_process(m, p);
}

static void delete (struct model *m, struct m_task *t, struct m_process *p, struct m_call *c)
{
	if (p->state == M_CREATED && p->pid) {
		p->signal = SIGKILL; /* and it is deleted when its end is told */
		m_push(&p->deferred, c);
	} else if (p->exited && !p->published) {
		m_push(&p->deferred, c);
	} else if (!m_is_init(t, p)) {
		delete_exec(m, p, c);
	} else {
		m_begin_delete(m, t, c);
	}
}

static void engine(struct model *m, struct m_task *t, struct m_process *slot, struct m_call *c,
		   const char *verb)
{
	m_want(m, m_begin(m, t, slot, &t->init, c), M_ENGINE, verb);
}

/* The engine of an exec is there before the check, and waits for what it says; if that fits. */
static void start_exec(struct model *m, struct m_task *t, struct m_process *p, struct m_call *c)
{
	struct m_op *op = m_begin(m, t, p, p, c);

	op->gated = !p->big;
	if (op->gated)
		m_want(m, op, M_ENGINE, "exec");
	m_want(m, op, M_CHECK, "exec");
}

static void start(struct model *m, struct m_task *t, struct m_process *p, struct m_call *c)
{
	if (m_is_init(t, p))
		engine(m, t, p, c, "start");
	else if (t->init.exited)
		m_answer(c, M_REFUSED);
	else
		start_exec(m, t, p, c);
}

/* --- the rest --------------------------------------------------------------------------------- */

static void exec(struct model *m, struct m_task *t, struct m_call *c)
{
	struct m_process *p = NULL;
	bool busy = t->init.deleting;

	if (c->bad_id)
		m_answer(c, M_INVALID);
	else if (find_exec(t, c->exec))
		m_answer(c, M_EXISTS);
	else if (!model_allows(M_EXEC, t->init.state) || busy)
		m_answer(c, M_REFUSED);
	else if (c->bad_argument)
		m_answer(c, M_INVALID);
	if (c->due)
		return;
	for (size_t i = 0; i < M_EXECS; i++)
		if (!t->execs[i].used)
			p = &t->execs[i];
	ASSERT(p);
	memset(p, 0, sizeof(*p));
	p->used = true;
	p->fd = -1;
	p->state = M_CREATED;
	p->big = c->big;
	strcpy(p->id, c->exec);
	m_publish(m, M_EV_EXEC_ADDED, t, p);
	m_answer(c, M_OK);
}

static void kill_process(struct model *m, struct m_task *t, struct m_process *p, struct m_call *c)
{
	bool init = m_is_init(t, p);

	if (c->signal > 64)
		m_answer(c, M_INVALID);
	else if (init && c->all && p->exited && t->private_pid)
		m_answer(c, M_OK);
	else if (init && c->all)
		engine(m, t, NULL, c, "kill-all");
	else if (p->exited)
		m_answer(c, M_NOT_FOUND);
	else if (!p->pid)
		m_answer(c, M_REFUSED);
	else if (init && p->state == M_PAUSED && c->signal == SIGKILL)
		engine(m, t, NULL, c, "kill"); /* thaws it */
	else {
		p->signal = (int)c->signal;
		m_answer(c, M_OK);
	}
}

static void wait_for(struct m_process *p, struct m_call *c)
{
	if (p->published)
		m_answer_ended(c, p);
	else
		m_push(&p->waiters, c);
}

static void state(const struct m_task *t, const struct m_process *p, struct m_call *c)
{
	c->pid = p->pid;
	c->status = t->init.state == M_PAUSED ? M_PAUSED : p->state;
	c->ended = p->exited;
	m_answer(c, M_OK);
}

static void run(struct model *m, struct m_task *t, struct m_process *p, struct m_call *c)
{
	switch (c->rpc) {
	case M_START:
		start(m, t, p, c);
		break;
	case M_STATE:
		state(t, p, c);
		break;
	case M_WAIT:
		wait_for(p, c);
		break;
	case M_KILL:
		kill_process(m, t, p, c);
		break;
	case M_DELETE:
		delete (m, t, p, c);
		break;
	case M_PAUSE:
		engine(m, t, p, c, "pause");
		break;
	case M_RESUME:
		engine(m, t, p, c, "resume");
		break;
	case M_UPDATE:
		if (c->bad_argument)
			m_answer(c, M_INVALID);
		else
			engine(m, t, p, c, "update");
		break;
	case M_CHECKPOINT: /* only where there is no criu */
		m_answer(c, M_UNIMPLEMENTED);
		break;
	default:
		m_answer(c, M_OK);
	}
}

void model_call(struct model *m, struct m_call *c)
{
	struct m_task *t = model_task(m, c->id);
	struct m_process *p = t ? &t->init : NULL;

	if (m_is_pods(c->rpc)) {
		m_pod_call(m, c);
		return;
	}
	if (c->rpc == M_CREATE) {
		create(m, c);
		return;
	}
	if (t && t->init.state == M_CREATING)
		t = NULL;
	if (c->rpc == M_CONNECT || c->rpc == M_SHUTDOWN) {
		c->pid = t && c->rpc == M_CONNECT ? t->init.pid : 0;
		m->ended |= c->rpc == M_SHUTDOWN && !model_has_task(m) && !model_has_pod(m);
		m_answer(c, M_OK);
		return;
	}
	if (t && takes_exec[c->rpc] && *c->exec)
		p = find_exec(t, c->exec);
	if (!t || !p)
		m_answer(c, M_NOT_FOUND);
	else if (c->rpc == M_EXEC)
		exec(m, t, c);
	else if (needs_slot[c->rpc] && p->op)
		m_push(&p->deferred, c);
	else if (!model_allows(c->rpc, p->state))
		m_answer(c, M_REFUSED);
	else
		run(m, t, p, c);
}

void model_settle(struct model *m)
{
	while (m->runnable.n) {
		struct m_call *c = m_pop(&m->runnable);

		if (c->deadline && c->deadline <= m->now)
			m_answer(c, M_TIMEOUT);
		else
			model_call(m, c);
	}
}
