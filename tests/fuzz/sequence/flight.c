/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "tests/fuzz/sequence/model_parts.h"

/* What is in flight: runs of prepare, the engine and the unmounting, and what follows from each. */

static bool alive(const struct m_op *op, enum m_part part)
{
	return op->runs[part].verb;
}

void m_release(struct model *m, struct m_run *r, bool doomed)
{
	if (r->verb && r->fd >= 0) {
		ASSERT(m->n_released < M_RELEASED);
		m->released[m->n_released++] = (struct m_released){ r->fd, r->pid, doomed };
	}
	*r = (struct m_run){ .fd = -1 };
}

/* What the engine made although its operation fails: to undo that is the engine's again. */
static void release_process(struct model *m, int fd, pid_t pid)
{
	struct m_run made = { .verb = "", .fd = fd, .pid = pid };

	m_release(m, &made, false);
}

static void release_all(struct model *m, struct m_op *op, bool doomed)
{
	for (int i = 0; i < M_PARTS; i++)
		m_release(m, &op->runs[i], doomed);
}

struct m_op *m_begin(struct model *m, struct m_task *t, struct m_process *slot, struct m_process *p,
		     struct m_call *c)
{
	for (size_t i = 0; i < M_OPS; i++) {
		struct m_op *op = &m->ops[i];

		if (op->used)
			continue;
		*op = (struct m_op){ .used = true, .task = t, .process = p, .call = c };
		for (int k = 0; k < M_PARTS; k++)
			op->runs[k].fd = -1;
		op->rpc = c ? c->rpc : M_RPC_N;
		op->slot = slot;
		if (slot)
			slot->op = op;
		return op;
	}
	ASSERT(false);
	return NULL;
}

void m_want(struct model *m, struct m_op *op, enum m_part part, const char *verb)
{
	m_release(m, &op->runs[part], false);
	op->runs[part] = (struct m_run){ .verb = verb, .wanted = true, .fd = -1 };
	op->engine_ran |= part == M_ENGINE;
	if (op->undoing)
		op->deadline = m->now + M_UNDO_BOUND;
	else
		op->deadline = op->call ? op->call->deadline : 0;
	if (!op->deadline && (op->rpc == M_DELETE || op->kind == M_OP_KILL_REST))
		op->deadline = m->now + M_ENGINE_BOUND;
	if (op->limit && (!op->deadline || op->limit < op->deadline))
		op->deadline = op->limit;
}

void m_limit(struct model *m, struct m_task *t)
{
	for (size_t i = 0; i < M_OPS; i++) {
		struct m_op *op = &m->ops[i];

		if (!op->used || op->task != t || op->kind != M_OP_CALL || op->rpc == M_CREATE ||
		    op->rpc == M_DELETE)
			continue;
		op->limit = m->now + M_ENDING_BOUND;
		if (!op->deadline || op->limit < op->deadline)
			op->deadline = op->limit;
	}
}

void m_end(struct model *m, struct m_op *op, bool killed)
{
	release_all(m, op, killed);
	op->used = false;
	if (!op->slot)
		return;
	op->slot->op = NULL;
	m_all_runnable(m, &op->slot->deferred);
}

enum m_gate model_gate(const struct m_op *op)
{
	if (op->failing)
		return M_GATE_REFUSED;
	return op->confirmed ? M_GATE_OPEN : M_GATE_WAITS;
}

/* --- failing --------------------------------------------------------------------------------- */

static void vanish(struct model *m, struct m_op *op)
{
	struct m_task *t = op->task;
	bool orphaned = op->call->gone;

	m_answer(op->call, op->code);
	m_end(m, op, true);
	m_forget_task(m, t);
	if (orphaned && !model_has_task(m))
		m->ended = !model_has_pod(m); /* whoever would have said Shutdown has gone */
}

static void undo(struct model *m, struct m_op *op)
{
	struct m_process *p = &op->task->init;

	release_process(m, p->fd, p->pid);
	p->fd = -1;
	op->undoing = true;
	op->failing = false;
	if (op->engine_ran)
		m_want(m, op, M_ENGINE, "delete");
	else
		m_want(m, op, M_STEP, "unmount");
}

/* An engine in flight is awaited, whatever else went wrong. */
static void fail(struct model *m, struct m_op *op, int code)
{
	struct m_process *p = op->process;
	struct m_task *t = op->task;

	op->code = code;
	op->failing = alive(op, M_ENGINE);
	if (op->failing)
		return;
	release_all(m, op, true);
	if (op->rpc == M_CREATE) {
		undo(m, op);
		return;
	}
	if (op->rpc == M_DELETE)
		p->deleting = false;
	/* Whoever waits for an exec that was not started learns that nothing ran. */
	if (op->rpc == M_START && !m_is_init(t, p))
		while (p->waiters.n)
			m_answer(m_pop(&p->waiters), M_OK);
	/* Killing all of what is gone already is no failure. */
	m_answer(op->call, op->rpc == M_KILL && op->call->all && t->init.exited ? M_OK : code);
	m_end(m, op, true);
	m_settle(m, t, p);
	m_settle(m, t, &t->init);
}

/* --- success --------------------------------------------------------------------------------- */

static void created(struct model *m, struct m_op *op)
{
	struct m_process *p = &op->task->init;

	p->state = p->exited ? M_STOPPED : M_CREATED;
	m_publish(m, M_EV_CREATE, op->task, p);
	op->call->pid = p->pid;
	m_answer(op->call, M_OK);
	m_end(m, op, false);
	m_settle(m, op->task, p);
}

static void create_goes_on(struct model *m, struct m_op *op)
{
	if (!op->engine_ended || !op->engine.ok || !op->confirmed)
		return;
	if (op->private)
		m_want(m, op, M_CHECK, "private");
	else
		created(m, op);
}

static void started(struct model *m, struct m_op *op)
{
	const struct m_outcome o = op->engine;
	struct m_process *p = op->slot;
	struct m_task *t = op->task;
	bool init = m_is_init(t, p);

	if (!init) {
		p->pid = o.pid;
		p->fd = o.fd;
	}
	if (!p->exited)
		p->state = M_RUNNING;
	m_publish(m, init ? M_EV_START : M_EV_EXEC_STARTED, t, p);
	op->call->pid = p->pid;
	m_answer(op->call, M_OK);
	m_end(m, op, false);
	m_settle(m, t, p);
	if (!init && o.ended)
		model_exit(m, t, p, o.status);
}

static void engine_failed(struct model *m, struct m_op *op)
{
	if (op->engine.code)
		fail(m, op, op->engine.code);
	else
		m_want(m, op, M_STEP, "engine-error");
}

/* What the check has to say goes before an error of the engine. */
static void exec_goes_on(struct model *m, struct m_op *op)
{
	if (!op->engine_ended || !op->confirmed)
		return;
	if (op->engine.ok)
		started(m, op);
	else
		engine_failed(m, op);
}

static void deleted(struct model *m, struct m_op *op)
{
	struct m_task *t = op->task;

	m_publish(m, M_EV_DELETE, t, &t->init);
	op->call->pid = t->init.pid;
	m_answer_ended(op->call, &t->init);
	m_end(m, op, true);
	m_forget_task(m, t);
}

/* It is the container's: it goes on whatever becomes of who began it, and the next one finds it. */
static void unmount(struct model *m, struct m_op *delete)
{
	struct m_task *t = delete->task;
	struct m_op *op;

	if (!t->mounted || delete->unmounts)
		return;
	delete->unmounts = true;
	if (t->unmounting)
		return;
	op = m_begin(m, t, NULL, &t->init, NULL);
	op->kind = M_OP_UNMOUNT;
	m_want(m, op, M_STEP, "unmount");
	t->unmounting = true;
}

static void delete_goes_on(struct model *m, struct m_op *op)
{
	if (alive(op, M_ENGINE) || (op->unmounts && op->task->unmounting)) {
		/* The unmounting alone has all the time that the client has. */
		if (!alive(op, M_ENGINE))
			op->deadline = op->call->deadline;
		return;
	}
	if (!op->engine.ok)
		engine_failed(m, op);
	else if (op->task->mounted)
		fail(m, op, M_UNKNOWN); /* and may be tried again */
	else
		deleted(m, op);
}

static void simple_succeeded(struct model *m, struct m_op *op)
{
	struct m_process *p = op->process;

	if (op->rpc == M_PAUSE) {
		p->state = p->state == M_RUNNING ? M_PAUSED : p->state;
		m_publish(m, M_EV_PAUSED, op->task, p);
	} else if (op->rpc == M_RESUME) {
		p->state = p->state == M_PAUSED ? M_RUNNING : p->state;
		m_publish(m, M_EV_RESUMED, op->task, p);
	}
	m_answer(op->call, M_OK);
	m_end(m, op, true);
}

/* --- prepare --------------------------------------------------------------------------------- */

static void create_reported(struct model *m, struct m_op *op, const struct m_outcome *o)
{
	bool first = !op->reported;

	op->reported = true;
	op->confirmed = !o->more;
	if (!first) {
		create_goes_on(m, op);
		return;
	}
	op->task->private_pid = o->private_pid;
	op->task->mounted = o->mounted;
	op->task->poststop = o->poststop;
	op->private = o->private_emulator;
	if (m->pod.files)
		m_want(m, op, M_STEP, "edit");
	else
		m_want(m, op, M_ENGINE, "create");
}

void model_edited(struct model *m, struct m_op *op, int code)
{
	op->runs[M_STEP] = (struct m_run){ .fd = -1 };
	if (code)
		fail(m, op, code);
	else
		m_want(m, op, M_ENGINE, "create");
}

static void exec_reported(struct model *m, struct m_op *op, const struct m_outcome *o)
{
	if (o->private_emulator) {
		m_want(m, op, M_CHECK, "private");
		return;
	}
	op->confirmed = true;
	if (!op->gated)
		m_want(m, op, M_ENGINE, "exec");
	exec_goes_on(m, op);
}

/*
 * The check says no to an exec: that is an exec which failed, by a process that the shim makes once
 * the engine is gone. To anything else that is wrong with a check the caller gets an error.
 */
static void refuse(struct model *m, struct m_op *op)
{
	op->killed = op->runs[M_ENGINE].pid;
	m_release(m, &op->runs[M_ENGINE], true);
	m_want(m, op, M_STEP, "refused");
}

void model_refused(struct model *m, struct m_op *op, const struct m_outcome *o)
{
	op->runs[M_STEP] = (struct m_run){ .fd = -1 };
	op->engine = *o;
	op->slot->refused = true;
	started(m, op);
}

void model_report(struct model *m, struct m_op *op, const struct m_outcome *o)
{
	bool private = str_eq(op->runs[M_CHECK].verb, "private");

	op->runs[M_CHECK].answered = !o->more;
	if (o->code == M_REFUSED && op->rpc == M_START)
		refuse(m, op);
	else if (!o->ok)
		fail(m, op, o->code);
	else if (op->rpc == M_START)
		exec_reported(m, op, o);
	else if (private)
		created(m, op);
	else
		create_reported(m, op, o);
}

/* --- the ends of runs ------------------------------------------------------------------------ */

static void create_engine_ended(struct model *m, struct m_op *op)
{
	struct m_process *p = &op->task->init;
	const struct m_outcome o = op->engine;
	struct m_task *t = op->task;

	if (!o.ok) {
		engine_failed(m, op);
		return;
	}
	p->pid = o.pid;
	p->fd = o.fd;
	create_goes_on(m, op);
	if (o.ended)
		model_exit(m, t, p, o.status);
}

static void engine_ended(struct model *m, struct m_op *op, const struct m_outcome *o)
{
	op->engine = *o;
	op->engine_ended = true;
	if (op->undoing) {
		m_want(m, op, M_STEP, "unmount");
	} else if (op->failing) {
		release_process(m, o->ok ? o->fd : -1, o->pid);
		fail(m, op, op->code);
	} else if (op->rpc == M_CREATE) {
		create_engine_ended(m, op);
	} else if (op->rpc == M_DELETE) {
		if (o->ok)
			unmount(m, op);
		delete_goes_on(m, op);
	} else if (op->rpc == M_START && !m_is_init(op->task, op->process)) {
		exec_goes_on(m, op);
	} else if (!o->ok) {
		engine_failed(m, op);
	} else if (op->rpc == M_START) {
		started(m, op);
	} else {
		simple_succeeded(m, op);
	}
}

/* A Delete may wait for it, or none. */
static void unmount_ended(struct model *m, struct m_op *op, bool ok)
{
	struct m_task *t = op->task;
	struct m_op *waiting = t->init.op;

	t->mounted = !ok;
	t->unmounting = false;
	m_end(m, op, true);
	if (waiting && waiting->rpc == M_DELETE && waiting->unmounts)
		delete_goes_on(m, waiting);
}

void model_done(struct model *m, struct m_op *op, enum m_part part, const struct m_outcome *o)
{
	bool words = part == M_STEP && str_eq(op->runs[part].verb, "engine-error");

	op->runs[part] = (struct m_run){ .fd = -1 };
	if (op->kind == M_OP_UNMOUNT) {
		unmount_ended(m, op, o->ok);
	} else if (op->kind != M_OP_CALL) {
		op->process->looked_at &= op->kind != M_OP_LOOK;
		op->task->kills_rest &= op->kind != M_OP_KILL_REST;
		m_end(m, op, true);
		m_settle(m, op->task, op->process);
	} else if (part == M_ENGINE) {
		engine_ended(m, op, o);
	} else if (words) {
		fail(m, op, o->code);
	} else if (part == M_STEP) {
		vanish(m, op);
	}
}

/* Hooks that run after the end may still want to see the root file system. */
void m_begin_delete(struct model *m, struct m_task *t, struct m_call *c)
{
	struct m_op *op = m_begin(m, t, &t->init, &t->init, c);

	t->init.deleting = true;
	m_want(m, op, M_ENGINE, "delete");
	if (!t->poststop)
		unmount(m, op);
}

/* --- clients that leave, and deadlines ------------------------------------------------------- */

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

/* Everything is killed: @code, unless it was about to fail for something else. */
static void give_up(struct model *m, struct m_op *op, int code)
{
	int before = op->failing ? op->code : code;

	release_all(m, op, true);
	fail(m, op, before);
}

void model_abandon(struct model *m, struct m_call *c)
{
	c->gone = true;
	if (drop(&m->pod.waiters, c))
		c->open = false;
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

		if (op->used && op->call == c && c->rpc == M_CREATE && !op->undoing)
			give_up(m, op, M_UNKNOWN);
	}
}

/* Cleaning up is given up piece by piece. */
static void expire_undo(struct model *m, struct m_op *op)
{
	bool engine = alive(op, M_ENGINE);

	release_all(m, op, true);
	if (engine)
		m_want(m, op, M_STEP, "unmount");
	else
		vanish(m, op);
}

/* The engine had failed before, only its words are missing; the check may say so first. */
static void expire_words(struct model *m, struct m_op *op)
{
	if (alive(op, M_CHECK) && !op->runs[M_CHECK].answered)
		op->call->other_code = M_TIMEOUT;
	give_up(m, op, M_UNKNOWN);
}

/* The rest was not killed in time: the end is told all the same. */
static void expire_rest(struct model *m, struct m_op *op)
{
	op->task->kills_rest = false;
	m_end(m, op, true);
	m_settle(m, op->task, &op->task->init);
}

static void expire(struct model *m, struct m_op *op)
{
	if (op->kind == M_OP_KILL_REST)
		expire_rest(m, op);
	else if (op->undoing)
		expire_undo(m, op);
	else if (alive(op, M_STEP) && str_eq(op->runs[M_STEP].verb, "engine-error"))
		expire_words(m, op);
	else
		give_up(m, op, M_TIMEOUT);
}

/* What is parked keeps its deadline, whatever it waits for. */
void m_expire_parked(const struct model *m, struct m_queue *q)
{
	for (unsigned int i = q->n; i > 0; i--) {
		struct m_call *c = q->v[i - 1];

		if (!c->deadline || c->deadline > m->now)
			continue;
		(void)drop(q, c);
		m_answer(c, M_TIMEOUT);
	}
}

static void expire_calls(struct model *m, struct m_task *t)
{
	m_expire_parked(m, &t->init.deferred);
	m_expire_parked(m, &t->init.waiters);
	for (size_t k = 0; k < M_EXECS; k++) {
		m_expire_parked(m, &t->execs[k].deferred);
		m_expire_parked(m, &t->execs[k].waiters);
	}
}

void model_time(struct model *m, uint64_t ns)
{
	m->now += ns;
	m_pod_time(m);
	for (size_t i = 0; i < M_TASKS; i++)
		expire_calls(m, &m->tasks[i]);
	for (size_t i = 0; i < M_OPS; i++) {
		struct m_op *op = &m->ops[i];

		if (op->used && op->deadline && op->deadline <= m->now)
			expire(m, op);
	}
}
