/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/sequence/model_parts.h"

#include <signal.h>
#include <string.h>

#include "runtime/base/mem.h"

/*
 * The sandbox of a pod without a pause process, as containerd's controller of sandboxes expects it
 * (plugins/sandbox/controller.go): what is not there is "not found", the end is told to all who
 * wait, and asking for the end twice is no error.
 */
#define POD_BOUND (10 * M_SECOND) /* of who is to hold the namespaces */
#define POD_KILLED (128 + SIGKILL)
#define POD_FAILED 1

bool model_has_pod(const struct model *m)
{
	return m->pod.state != M_POD_NONE && m->pod.state != M_POD_SHUT;
}

static void answer_ended(const struct m_pod *p, struct m_call *c)
{
	c->status = p->status;
	c->ended = true;
	m_answer(c, M_OK);
}

/* Whoever waits learns of it. */
static void ended(struct m_pod *p, uint32_t status)
{
	p->state = M_POD_NOTREADY;
	p->status = status;
	p->deadline = 0;
	while (p->waiters.n)
		answer_ended(p, m_pop(&p->waiters));
	while (p->stopping.n)
		m_answer(m_pop(&p->stopping), M_OK);
}

static void kill_holder(struct model *m)
{
	m_release(m, &m->pod.holder, true);
	ended(&m->pod, POD_KILLED);
}

/* --- calls ----------------------------------------------------------------------------------- */

static void create(struct m_pod *p, struct m_call *c)
{
	if (p->state == M_POD_SHUT)
		m_answer(c, M_REFUSED);
	else if (p->state != M_POD_NONE)
		m_answer(c, M_EXISTS);
	else if (c->bad_id || c->bad_argument)
		m_answer(c, M_INVALID);
	else {
		p->state = M_POD_CREATED;
		strcpy(p->id, c->id);
		m_answer(c, M_OK);
	}
}

static void answer_started(const struct m_pod *p, struct m_call *c)
{
	c->pid = p->holder.pid;
	m_answer(c, M_OK);
}

static void start(struct model *m, struct m_call *c)
{
	struct m_pod *p = &m->pod;

	if (p->state == M_POD_READY) {
		answer_started(p, c);
	} else if (p->state != M_POD_CREATED) {
		m_answer(c, M_REFUSED);
	} else {
		p->state = M_POD_STARTING;
		p->starting = c;
		p->deadline = m->now + POD_BOUND;
		p->holder = (struct m_run){ .verb = "hold", .wanted = true, .fd = -1 };
	}
}

static void stop(struct model *m, struct m_call *c)
{
	struct m_pod *p = &m->pod;

	m_push(&p->stopping, c);
	if (p->state == M_POD_READY)
		kill_holder(m);
	else if (p->state != M_POD_STARTING)
		ended(p, p->state == M_POD_CREATED ? POD_KILLED : p->status);
}

/* Of the only one a shim may have, whether it came to be or not. */
static void shut_down(struct model *m, struct m_call *c)
{
	struct m_pod *p = &m->pod;
	struct m_call *starting = p->starting;

	p->starting = NULL;
	if (model_has_pod(m) && p->state != M_POD_NOTREADY)
		kill_holder(m);
	m_answer(starting, M_REFUSED);
	p->state = M_POD_SHUT;
	m_answer(c, M_OK);
	m->ended = m->lingers = !model_has_task(m);
}

static void status(const struct m_pod *p, struct m_call *c)
{
	c->pid = p->state == M_POD_READY ? p->holder.pid : 0;
	c->status = p->state == M_POD_READY;
	c->ended = p->state == M_POD_NOTREADY;
	m_answer(c, M_OK);
}

void m_pod_call(struct model *m, struct m_call *c)
{
	struct m_pod *p = &m->pod;
	bool ours = model_has_pod(m) && strcmp(c->id, p->id) == 0;

	if (c->rpc == M_POD_CREATE)
		create(p, c);
	else if (c->rpc == M_POD_SHUTDOWN && (ours || !model_has_pod(m)))
		shut_down(m, c);
	else if (!ours)
		m_answer(c, M_NOT_FOUND);
	else if (c->rpc == M_POD_START)
		start(m, c);
	else if (c->rpc == M_POD_STOP)
		stop(m, c);
	else if (c->rpc == M_POD_WAIT && p->state == M_POD_NOTREADY)
		answer_ended(p, c);
	else if (c->rpc == M_POD_WAIT)
		m_push(&p->waiters, c);
	else if (c->rpc == M_POD_STATUS)
		status(p, c);
	else if (c->rpc == M_POD_METRICS) /* it has no cgroup of its own */
		m_answer(c, p->state == M_POD_READY ? M_NOT_FOUND : M_REFUSED);
	else
		m_answer(c, M_OK);
}

/* --- who holds the namespaces ------------------------------------------------------------------
 */

void model_pod_holds(struct model *m)
{
	struct m_pod *p = &m->pod;
	struct m_call *c = p->starting;

	p->state = M_POD_READY;
	p->files = true;
	p->starting = NULL;
	p->deadline = 0;
	answer_started(p, c);
	if (p->stopping.n)
		kill_holder(m);
}

static void fail(struct model *m, int code)
{
	struct m_call *c = m->pod.starting;

	m->pod.starting = NULL;
	m_release(m, &m->pod.holder, true);
	ended(&m->pod, POD_FAILED);
	m_answer(c, code);
}

void model_pod_fails(struct model *m)
{
	fail(m, M_UNKNOWN);
}

void model_pod_exit(struct model *m, uint32_t code)
{
	m->pod.holder = (struct m_run){ .fd = -1 };
	if (m->pod.state == M_POD_STARTING)
		fail(m, M_UNKNOWN);
	else
		ended(&m->pod, code);
}

void m_pod_time(struct model *m)
{
	m_expire_parked(m, &m->pod.waiters);
	m_expire_parked(m, &m->pod.stopping);
	if (m->pod.deadline && m->pod.deadline <= m->now)
		fail(m, M_TIMEOUT);
}
