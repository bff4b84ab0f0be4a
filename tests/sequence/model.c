/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sequence/model.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/mem.h"

/* --- the table of states (shim-protocol 4.2) -------------------------------------------------- */

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

/* --- small things ------------------------------------------------------------------------------
 */

static void push(struct m_queue *q, struct m_call *c)
{
	ASSERT(q->n < M_QUEUE);
	q->v[q->n++] = c;
}

static struct m_call *pop(struct m_queue *q)
{
	struct m_call *c = q->v[0];

	q->n--;
	memmove(q->v, q->v + 1, q->n * sizeof(q->v[0]));
	return c;
}

static void answer(struct m_call *c, int code)
{
	if (!c)
		return;
	c->due = true;
	c->code = code;
	if (c->gone)
		c->open = false;
}

static void answer_ended(struct m_call *c, const struct m_process *p)
{
	c->status = p->status;
	c->ended = true;
	answer(c, M_OK);
}

static bool is_init(const struct m_task *t, const struct m_process *p)
{
	return p == &t->init;
}

static void publish(struct model *m, enum m_topic topic, const struct m_task *t,
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

static struct m_op *begin(struct model *m, struct m_task *t, struct m_process *p, bool slot,
			  struct m_call *c, enum m_stage stage, const char *verb)
{
	for (size_t i = 0; i < M_OPS; i++) {
		struct m_op *op = &m->ops[i];

		if (op->used)
			continue;
		*op = (struct m_op){ .used = true, .task = t, .process = p, .call = c, .fd = -1 };
		op->rpc = c ? c->rpc : M_RPC_N;
		op->stage = stage;
		op->verb = verb;
		op->wanted = true;
		if (slot)
			p->op = op;
		op->slot = slot ? p : NULL;
		return op;
	}
	ASSERT(false);
	return NULL;
}

static void next(struct m_op *op, enum m_stage stage, const char *verb)
{
	op->stage = stage;
	op->verb = verb;
	op->wanted = true;
}

static void all_runnable(struct model *m, struct m_queue *q)
{
	while (q->n)
		push(&m->runnable, pop(q));
}

static void end(struct model *m, struct m_op *op)
{
	op->used = false;
	if (!op->slot)
		return;
	op->slot->op = NULL;
	all_runnable(m, &op->slot->deferred);
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

/* --- the end of processes (shim-protocol 4.4) --------------------------------------------------
 */

static bool starting(const struct m_process *p)
{
	return p->op && p->op->rpc == M_START;
}

static void settle(struct model *m, struct m_task *t, struct m_process *p)
{
	if (!p->exited || p->published || p->looked_at || starting(p))
		return;
	for (size_t i = 0; is_init(t, p) && i < M_EXECS; i++) {
		const struct m_process *e = &t->execs[i];

		if (e->used && !e->published && (e->pid || starting(e)))
			return;
	}
	p->published = true;
	publish(m, M_EV_EXIT, t, p);
	while (p->waiters.n)
		answer_ended(pop(&p->waiters), p);
	all_runnable(m, &p->deferred);
	if (!is_init(t, p))
		settle(m, t, &t->init);
}

/* Statuses of which something on disk may be the cause: that is looked into before they are told.
 */
static bool is_suspicious(uint32_t status)
{
	return status == 2 || status == 126 || status == 127 || status == 255 ||
	       status == 128 + SIGILL || status == 128 + SIGSYS;
}

void model_exit(struct model *m, struct m_task *t, struct m_process *p, uint32_t status)
{
	p->exited = true;
	p->state = M_STOPPED;
	p->status = status;
	if (is_suspicious(status) && !p->deleting) {
		begin(m, t, p, false, NULL, M_PREPARE, "after")->kind = M_OP_LOOK;
		p->looked_at = true;
	}
	if (is_init(t, p) && !t->private_pid)
		begin(m, t, p, false, NULL, M_ENGINE, "kill-all")->kind = M_OP_KILL_REST;
	settle(m, t, p);
}

/* --- Create, Start, Delete -----------------------------------------------------------------------
 */

static void forget_process(struct model *m, struct m_process *p)
{
	while (p->waiters.n)
		answer(pop(&p->waiters), M_NOT_FOUND);
	all_runnable(m, &p->deferred);
	memset(p, 0, sizeof(*p));
	p->fd = -1;
}

static void forget_task(struct model *m, struct m_task *t)
{
	for (size_t i = 0; i < M_OPS; i++) {
		struct m_op *op = &m->ops[i];

		if (!op->used || op->task != t)
			continue;
		op->doomed = true; /* its run is killed; the fuzzer sees that and frees it */
		op->task = NULL;
		answer(op->call, M_NOT_FOUND);
		if (op->slot)
			end(m, op);
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
		answer(c, M_INVALID);
		return;
	}
	if (model_task(m, c->id)) {
		answer(c, M_EXISTS);
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
	begin(m, t, &t->init, true, c, M_PREPARE, "create");
}

static void vanish(struct model *m, struct m_op *op)
{
	struct m_task *t = op->task;
	bool orphaned = op->call->gone;

	answer(op->call, op->code);
	end(m, op);
	forget_task(m, t);
	if (orphaned && !model_has_task(m))
		m->ended = true; /* whoever would have said Shutdown has gone */
}

static void created(struct model *m, struct m_op *op, const struct m_outcome *o)
{
	struct m_task *t = op->task;

	t->init.state = M_CREATED;
	t->init.pid = o->pid;
	t->init.fd = o->fd;
	publish(m, M_EV_CREATE, t, &t->init);
	op->call->pid = o->pid;
	answer(op->call, M_OK);
	end(m, op);
	if (o->ended)
		model_exit(m, t, &t->init, o->status);
}

static void started(struct model *m, struct m_op *op, const struct m_outcome *o)
{
	struct m_process *p = op->slot;
	struct m_task *t = op->task;

	if (!is_init(t, p)) {
		p->pid = o->pid;
		p->fd = o->fd;
	}
	if (!p->exited)
		p->state = M_RUNNING;
	publish(m, is_init(t, p) ? M_EV_START : M_EV_EXEC_STARTED, t, p);
	op->call->pid = p->pid;
	answer(op->call, M_OK);
	end(m, op);
	settle(m, t, p);
	if (!is_init(t, p) && o->ended)
		model_exit(m, t, p, o->status);
}

static void deleted(struct model *m, struct m_op *op)
{
	struct m_task *t = op->task;

	publish(m, M_EV_DELETE, t, &t->init);
	op->call->pid = t->init.pid;
	answer_ended(op->call, &t->init);
	end(m, op);
	forget_task(m, t);
}

static void delete_exec(struct model *m, struct m_process *p, struct m_call *c)
{
	c->pid = p->pid;
	c->status = p->status;
	c->ended = p->exited;
	answer(c, M_OK);
	forget_process(m, p);
}

static void delete (struct model *m, struct m_task *t, struct m_process *p, struct m_call *c)
{
	if (p->state == M_CREATED && p->pid) {
		p->signal = SIGKILL; /* and it is deleted when its end is told */
		push(&p->deferred, c);
	} else if (p->exited && !p->published) {
		push(&p->deferred, c);
	} else if (!is_init(t, p)) {
		delete_exec(m, p, c);
	} else {
		p->deleting = true;
		begin(m, t, p, true, c, M_ENGINE, "delete");
	}
}

static void start(struct model *m, struct m_task *t, struct m_process *p, struct m_call *c)
{
	if (is_init(t, p))
		begin(m, t, p, true, c, M_ENGINE, "start");
	else if (t->init.exited)
		answer(c, M_REFUSED);
	else
		begin(m, t, p, true, c, M_PREPARE, "exec");
}

/* --- the rest ------------------------------------------------------------------------------------
 */

static void exec(struct model *m, struct m_task *t, struct m_call *c)
{
	struct m_process *p = NULL;
	bool busy = t->init.deleting;

	if (c->bad_id)
		answer(c, M_INVALID);
	else if (find_exec(t, c->exec))
		answer(c, M_EXISTS);
	else if (!model_allows(M_EXEC, t->init.state) || busy)
		answer(c, M_REFUSED);
	else if (c->bad_argument)
		answer(c, M_INVALID);
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
	strcpy(p->id, c->exec);
	publish(m, M_EV_EXEC_ADDED, t, p);
	answer(c, M_OK);
}

static void kill_process(struct model *m, struct m_task *t, struct m_process *p, struct m_call *c)
{
	bool init = is_init(t, p);

	if (c->signal > 64)
		answer(c, M_INVALID);
	else if (init && c->all && p->exited && t->private_pid)
		answer(c, M_OK);
	else if (init && c->all)
		begin(m, t, p, false, c, M_ENGINE, "kill-all");
	else if (p->exited)
		answer(c, M_NOT_FOUND);
	else if (!p->pid)
		answer(c, M_REFUSED);
	else if (init && p->state == M_PAUSED && c->signal == SIGKILL)
		begin(m, t, p, false, c, M_ENGINE, "kill"); /* thaws it */
	else {
		p->signal = (int)c->signal;
		answer(c, M_OK);
	}
}

static void wait_for(struct m_process *p, struct m_call *c)
{
	if (p->published)
		answer_ended(c, p);
	else
		push(&p->waiters, c);
}

static void state(const struct m_process *p, struct m_call *c)
{
	c->pid = p->pid;
	c->status = p->state;
	c->ended = p->exited;
	answer(c, M_OK);
}

static void run(struct model *m, struct m_task *t, struct m_process *p, struct m_call *c)
{
	switch (c->rpc) {
	case M_START:
		start(m, t, p, c);
		break;
	case M_STATE:
		state(p, c);
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
		begin(m, t, p, true, c, M_ENGINE, "pause");
		break;
	case M_RESUME:
		begin(m, t, p, true, c, M_ENGINE, "resume");
		break;
	case M_UPDATE:
		if (c->bad_argument)
			answer(c, M_INVALID);
		else
			begin(m, t, p, true, c, M_ENGINE, "update");
		break;
	case M_CHECKPOINT: /* only where there is no criu */
		answer(c, M_UNIMPLEMENTED);
		break;
	default:
		answer(c, M_OK);
	}
}

void model_call(struct model *m, struct m_call *c)
{
	struct m_task *t = model_task(m, c->id);
	struct m_process *p = t ? &t->init : NULL;

	if (c->rpc == M_CREATE) {
		create(m, c);
		return;
	}
	if (t && t->init.state == M_CREATING)
		t = NULL;
	if (c->rpc == M_CONNECT || c->rpc == M_SHUTDOWN) {
		c->pid = t && c->rpc == M_CONNECT ? t->init.pid : 0;
		m->ended |= c->rpc == M_SHUTDOWN && !model_has_task(m);
		answer(c, M_OK);
		return;
	}
	if (t && takes_exec[c->rpc] && *c->exec)
		p = find_exec(t, c->exec);
	if (!t || !p)
		answer(c, M_NOT_FOUND);
	else if (c->rpc == M_EXEC)
		exec(m, t, c);
	else if (needs_slot[c->rpc] && p->op)
		push(&p->deferred, c);
	else if (!model_allows(c->rpc, p->state))
		answer(c, M_REFUSED);
	else
		run(m, t, p, c);
}

/* --- what ended
 * ------------------------------------------------------------------------------------ */

static void succeeded(struct model *m, struct m_op *op, const struct m_outcome *o)
{
	struct m_process *p = op->process;
	struct m_task *t = op->task;

	switch (op->rpc) {
	case M_CREATE:
		created(m, op, o);
		return;
	case M_START:
		started(m, op, o);
		return;
	case M_DELETE:
		deleted(m, op);
		return;
	case M_PAUSE:
		p->state = p->state == M_RUNNING ? M_PAUSED : p->state;
		publish(m, M_EV_PAUSED, t, p);
		break;
	case M_RESUME:
		p->state = p->state == M_PAUSED ? M_RUNNING : p->state;
		publish(m, M_EV_RESUMED, t, p);
		break;
	default:
		break;
	}
	answer(op->call, M_OK);
	end(m, op);
}

static void failed(struct model *m, struct m_op *op, int code)
{
	struct m_process *p = op->process;
	struct m_task *t = op->task;

	op->code = code;
	if (op->rpc == M_CREATE) {
		if (op->engine_ran)
			next(op, M_UNDO, "delete");
		else
			vanish(m, op);
		return;
	}
	if (op->rpc == M_DELETE)
		p->deleting = false;
	/* Whoever waits for an exec that was not started learns that nothing ran. */
	if (op->rpc == M_START && !is_init(t, p))
		while (p->waiters.n)
			answer(pop(&p->waiters), M_OK);
	/* Killing all of what is gone already is no failure. */
	answer(op->call, op->rpc == M_KILL && op->call->all && t->init.exited ? M_OK : code);
	end(m, op);
	settle(m, t, p);
	settle(m, t, &t->init);
}

void model_done(struct model *m, struct m_op *op, const struct m_outcome *o)
{
	if (op->kind != M_OP_CALL) {
		op->process->looked_at &= op->kind != M_OP_LOOK;
		end(m, op);
		settle(m, op->task, op->process);
		return;
	}
	switch (op->stage) {
	case M_PREPARE:
		if (!o->ok) {
			failed(m, op, o->code);
			break;
		}
		if (op->rpc == M_CREATE)
			op->task->private_pid = o->private_pid;
		op->engine_ran = true;
		next(op, M_ENGINE, op->rpc == M_CREATE ? "create" : "exec");
		break;
	case M_ENGINE:
		if (o->ok)
			succeeded(m, op, o);
		else if (o->code)
			failed(m, op, o->code);
		else
			next(op, M_WORDS, "engine-error");
		break;
	case M_WORDS:
		failed(m, op, o->code);
		break;
	case M_UNDO:
		vanish(m, op);
		break;
	}
}

static bool drop(struct m_queue *q, const struct m_call *c)
{
	for (unsigned int i = 0; i < q->n; i++) {
		if (q->v[i] != c)
			continue;
		q->n--;
		memmove(q->v + i, q->v + i + 1, (q->n - i) * sizeof(q->v[0]));
		return true;
	}
	return false;
}

void model_abandon(struct model *m, struct m_call *c)
{
	c->gone = true;
	for (size_t i = 0; i < M_TASKS; i++) {
		struct m_task *t = &m->tasks[i];
		bool waited = drop(&t->init.waiters, c);

		for (size_t k = 0; k < M_EXECS; k++)
			waited |= drop(&t->execs[k].waiters, c);
		if (waited)
			c->open = false;
	}
	/* A container that nobody waits for is given up, whatever it has come to. */
	for (size_t i = 0; i < M_OPS; i++) {
		struct m_op *op = &m->ops[i];

		if (!op->used || op->call != c || c->rpc != M_CREATE || op->stage == M_UNDO)
			continue;
		op->doomed = true;
		failed(m, op, M_UNKNOWN);
	}
}

void model_settle(struct model *m)
{
	while (m->runnable.n)
		model_call(m, pop(&m->runnable));
}
