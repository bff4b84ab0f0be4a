/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/str.h"
#include "shim/engine/criu.h"
#include "tests/fuzz/sequence/world.h"

/* What is done next, from a number: calls that fit and calls that do not, ends of runs, deaths. */

static struct m_call *free_call(struct world *w)
{
	for (size_t i = 0; i < W_CALLS; i++)
		if (!w->calls[i].open)
			return &w->calls[i];
	return NULL;
}

static enum m_rpc any_rpc(struct world *w)
{
	static const uint8_t weight[M_RPC_N] = {
		[M_CREATE] = 14,      [M_START] = 20,	  [M_STATE] = 6,	[M_WAIT] = 8,
		[M_KILL] = 8,	      [M_DELETE] = 7,	  [M_EXEC] = 14,	[M_PIDS] = 3,
		[M_PAUSE] = 7,	      [M_RESUME] = 5,	  [M_UPDATE] = 3,	[M_CHECKPOINT] = 1,
		[M_RESIZE] = 2,	      [M_CLOSE_IO] = 2,	  [M_CONNECT] = 2,	[M_SHUTDOWN] = 3,
		[M_POD_CREATE] = 4,   [M_POD_START] = 5,  [M_POD_PLATFORM] = 1, [M_POD_STOP] = 3,
		[M_POD_WAIT] = 3,     [M_POD_STATUS] = 3, [M_POD_PING] = 1,	[M_POD_METRICS] = 1,
		[M_POD_SHUTDOWN] = 2,
	};
	unsigned int sum = 0, at;

	for (int i = 0; i < M_RPC_N; i++)
		sum += weight[i];
	at = (unsigned int)draw(w, sum);
	for (int i = 0; i < M_RPC_N; i++) {
		if (at < weight[i])
			return (enum m_rpc)i;
		at -= weight[i];
	}
	return M_STATE;
}

static void name_pod(struct world *w, struct m_call *c)
{
	*c->exec = '\0';
	(void)str_copy(c->id, sizeof(c->id), draw(w, 20) ? "pod" : "other");
	if (draw(w, 20) == 0 && c->rpc == M_POD_CREATE)
		strcpy(c->id, "a/../b");
}

static void any_call(struct world *w, struct m_call *c)
{
	static const uint8_t signals[] = { 9, 9, 9, 15, 15, 0, 17, 1, 2, 10, 34, 64, 65, 200 };
	bool no_exec;

	*c = (struct m_call){ .open = true, .rpc = any_rpc(w) };
	no_exec = c->rpc == M_CREATE || (c->rpc != M_EXEC && draw(w, 2));
	(void)str_fmt(c->id, sizeof(c->id), "c%d", (int)draw(w, M_TASKS));
	if (!no_exec)
		(void)str_fmt(c->exec, sizeof(c->exec), "e%d", (int)draw(w, M_EXECS));
	if (draw(w, 40) == 0 && c->rpc != M_CREATE)
		strcpy(c->id, "nobody");
	if (draw(w, 30) == 0 && c->rpc == M_CREATE)
		strcpy(c->id, "a/../b");
	if (draw(w, 30) == 0 && c->rpc == M_EXEC)
		strcpy(c->exec, "-");
	if (m_is_pods(c->rpc))
		name_pod(w, c);
	c->bad_id = c->id[0] == 'a' || c->exec[0] == '-';
	c->bad_argument = draw(w, 20) == 0;
	c->signal = signals[draw(w, ARRAY_SIZE(signals))];
	c->all = draw(w, 4) == 0;
	c->big = draw(w, 8) == 0;
	if (draw(w, 5) == 0)
		c->deadline = w->model.now + (1 + draw(w, 3)) * M_SECOND;
	c->connection = draw(w, 6) == 0;
}

/* Most calls are to be about something that is there; some about nothing. */
static bool pod_misses(const struct m_pod *p, const struct m_call *c)
{
	if (c->rpc == M_POD_CREATE)
		return p->state != M_POD_NONE;
	if (c->rpc == M_POD_START)
		return p->state != M_POD_CREATED;
	if (c->rpc == M_POD_SHUTDOWN)
		return p->state != M_POD_NOTREADY;
	return p->state == M_POD_NONE || p->state == M_POD_SHUT;
}

static bool misses(struct world *w, const struct m_call *c)
{
	struct m_task *t = model_task(&w->model, c->id);

	if (m_is_pods(c->rpc))
		return pod_misses(&w->model.pod, c);
	if (c->rpc == M_CREATE)
		return t != NULL;
	if (!t)
		return true;
	if (t->init.state == M_STOPPED)
		return c->rpc != M_DELETE || *c->exec;
	if (c->rpc != M_EXEC && !model_allows(c->rpc, t->init.state))
		return true;
	/* Containers are to grow old, mostly. */
	if (!*c->exec)
		return c->rpc == M_DELETE || c->rpc == M_KILL;
	for (size_t i = 0; i < M_EXECS; i++)
		if (t->execs[i].used && str_eq(t->execs[i].id, c->exec))
			return c->rpc == M_EXEC;
	return c->rpc != M_EXEC;
}

static bool criu_is_there(void)
{
	struct err err;

	return criu_find(getenv("PATH"), &err) == 0;
}

/* In which state the container was found, and which answer follows in time. */
static void count(struct world *w, struct m_call *c)
{
	const struct m_task *t = model_task(&w->model, c->id);

	c->found = t ? 1 + (int)t->init.state : 0;
	if (m_is_pods(c->rpc))
		c->found = (int)w->model.pod.state;
}

static void make_call(struct world *w)
{
	struct m_call *c = free_call(w);

	if (!c)
		return;
	do {
		any_call(w, c);
	} while (misses(w, c) && draw(w, 6));
	if (c->rpc == M_CHECKPOINT && criu_is_there())
		c->rpc = M_STATE;
	call_send(w, c);
	tell(w, "%s %s %s%s%s%s (client %d, stream %u)", rpc_name(c->rpc), c->id, c->exec,
	     c->bad_argument ? " without an argument" : "", c->rpc == M_KILL ? " signal " : "",
	     c->rpc != M_KILL ? ""
	     : c->all	      ? "to all"
	     : c->signal == 9 ? "9"
			      : "other",
	     c->connection, c->stream);
	count(w, c);
	model_call(&w->model, c);
}

struct choice {
	struct m_op *op;
	enum m_part part;
};

static struct m_run *chosen(const struct choice *c)
{
	return &c->op->runs[c->part];
}

/* The oldest in one case of two, so that none is forgotten. */
static bool any_run(struct world *w, struct choice *ret)
{
	struct choice oldest = { NULL, M_CHECK }, all[M_OPS * M_PARTS];
	unsigned int n = 0;

	for (size_t i = 0; i < M_OPS * M_PARTS; i++) {
		struct choice c = { &w->model.ops[i / M_PARTS], (enum m_part)(i % M_PARTS) };

		if (!c.op->used || chosen(&c)->fd < 0)
			continue;
		all[n++] = c;
		chosen(&c)->age++;
		if (!oldest.op || chosen(&c)->age > chosen(&oldest)->age)
			oldest = c;
	}
	if (n)
		*ret = draw(w, 2) ? oldest : all[draw(w, n)];
	return n;
}

static bool is_init(const struct world *w, const struct m_process *p)
{
	for (size_t i = 0; i < M_TASKS; i++)
		if (p == &w->model.tasks[i].init)
			return true;
	return false;
}

static struct m_process *any_process(struct world *w)
{
	struct m_process *all[M_TASKS * (M_EXECS + 1)], *p;
	unsigned int n = 0;

	for (size_t i = 0; i < M_TASKS; i++) {
		struct m_task *t = &w->model.tasks[i];

		if (!t->used)
			continue;
		for (size_t k = 0; k <= M_EXECS; k++) {
			p = k ? &t->execs[k - 1] : &t->init;
			if (p->used && p->fd >= 0)
				all[n++] = p;
		}
	}
	if (!n)
		return NULL;
	p = all[draw(w, n)];
	/* An init takes its container along: execs rather. */
	return is_init(w, p) ? all[draw(w, n)] : p;
}

static void end_process(struct world *w, struct m_process *p)
{
	static const uint8_t statuses[] = {
		0, 0, 0, 1, 2, 3, 42, 111, 126, 127, 132, 139, 159, 255
	};
	uint32_t any = statuses[draw(w, ARRAY_SIZE(statuses))];
	uint32_t status = p->refused ? M_REFUSED_STATUS : any; /* it has no choice */
	bool by_signal = draw(w, 4) == 0;

	order(w, p->fd, by_signal ? STUB_KILL : STUB_EXIT, by_signal ? SIGKILL : (int)status, NULL,
	      0);
	process_end(w, p, by_signal ? 128 + SIGKILL : status);
}

/* Who is to hold the pod's namespaces does, says why it does not, or ends. */
static void holder_acts(struct world *w)
{
	struct m_pod *p = &w->model.pod;
	uint32_t status = (uint32_t)draw(w, 3);
	bool by_signal = draw(w, 3) == 0;
	pid_t pid = p->holder.pid;
	char text[32];

	if (p->state == M_POD_STARTING && draw(w, 3)) {
		bool holds = draw(w, 4);

		(void)str_fmt(text, sizeof(text), holds ? "%d\n" : "no room for %d\n", (int)pid);
		tell(w, "pause says: %s", text);
		order(w, p->holder.fd, STUB_REPORT, 0, text, strlen(text));
		if (holds)
			model_pod_holds(&w->model);
		else
			model_pod_fails(&w->model);
		return;
	}
	tell(w, "pause ends");
	order(w, p->holder.fd, by_signal ? STUB_KILL : STUB_EXIT, by_signal ? SIGKILL : (int)status,
	      NULL, 0);
	fd_close(&p->holder.fd);
	model_pod_exit(&w->model, by_signal ? 128 + SIGKILL : status);
}

static bool holder_may_act(struct world *w, uint64_t what)
{
	const struct m_pod *p = &w->model.pod;

	return p->holder.fd >= 0 &&
	       (what == 43 || (p->state == M_POD_STARTING && what >= 49 && what < 70));
}

/* The second client goes away, whatever it was waiting for, and a new one comes. */
static void leave(struct world *w)
{
	tell(w, "client 1 leaves");
	fd_close(&w->clients[1].fd);
	buf_deinit(&w->clients[1].in);
	for (size_t i = 0; i < W_CALLS; i++)
		if (w->calls[i].open && w->calls[i].connection == 1 && !w->calls[i].gone)
			model_abandon(&w->model, &w->calls[i]);
	client_connect(w, 1);
}

/* The engine has failed and its words come with a refusal: either may be the reason that is told.
 */
static bool late_refusal(struct world *w, struct m_op *op)
{
	const struct m_run *check = &op->runs[M_CHECK];
	bool first = draw(w, 2);
	int fd = check->fd;

	if (fd < 0 || check->answered || op->runs[M_STEP].fd < 0)
		return false;
	op->call->other_code = M_REFUSED;
	kill(w->shim, SIGSTOP); /* it is to find both at once */
	if (first)
		report_refusal(w, fd);
	run_finish(w, op, M_STEP, false);
	if (!first)
		report_refusal(w, fd);
	kill(w->shim, SIGCONT);
	w->n_raced = 0; /* it may have been killed, and nobody waits for it */
	return true;
}

/* The engine's end, if it is still there, and the end of init change nothing about a refusal. */
static void refuse_with_ends(struct world *w, struct m_op *op, bool first)
{
	const struct m_outcome refused = { .fd = -1, .code = M_REFUSED };
	const struct m_run *check = &op->runs[M_CHECK], *engine = &op->runs[M_ENGINE];
	struct m_process *init = &op->task->init;
	bool engine_ends = engine->fd >= 0 && draw(w, 2);
	bool init_ends = init->fd >= 0 && draw(w, 8) == 0;

	kill(w->shim, SIGSTOP); /* it is to find all at once */
	if (first)
		report_refusal(w, check->fd);
	if (engine_ends)
		order(w, engine->fd, draw(w, 2) ? STUB_EXIT : STUB_KILL, SIGSEGV, NULL, 0);
	if (init_ends)
		order(w, init->fd, STUB_EXIT, 0, NULL, 0);
	if (draw(w, 4) == 0)
		kill(w->shim, SIGUSR1);
	if (!first)
		report_refusal(w, check->fd);
	kill(w->shim, SIGCONT);
	tell(w, "the check refuses %s of %s%s%s", op->process->id, init->id,
	     engine_ends ? ", the engine ends" : "", init_ends ? ", init ends" : "");
	model_report(&w->model, op, &refused);
	if (init_ends)
		process_end(w, init, 0);
}

/* The engine has to be killed for it, and that is not seen before the deadline is. */
static void refuse_too_late(struct world *w, struct m_op *op)
{
	tell(w, "the check refuses %s of %s at its deadline", op->process->id, op->task->init.id);
	kill(w->shim, SIGSTOP);
	report_refusal(w, op->runs[M_CHECK].fd);
	clock_move(w, op->deadline - w->model.now);
	kill(w->shim, SIGCONT);
}

/* The check of an exec says no, and at the same moment something else happens. */
static bool race_refusal(struct world *w, struct m_op *op)
{
	const struct m_run *check = &op->runs[M_CHECK];
	bool exec = op->rpc == M_START && op->process != &op->task->init;

	if (!exec || check->fd < 0 || check->answered || model_gate(op) != M_GATE_WAITS ||
	    draw(w, 2))
		return false;
	w->racing[0] = '\0'; /* nothing is left to chance */
	if (op->deadline && op->runs[M_ENGINE].fd >= 0 && draw(w, 4))
		refuse_too_late(w, op);
	else
		refuse_with_ends(w, op, draw(w, 2));
	return true;
}

/* Two runs of one operation end at the same moment: nothing may depend on whose end is seen first.
 */
static void finish_both(struct world *w, const struct choice *c)
{
	struct m_op *op = c->op;
	enum m_part other = (enum m_part)((c->part + 1 + draw(w, M_PARTS - 1)) % M_PARTS);
	bool freeze;

	(void)str_copy(w->racing, sizeof(w->racing), op->task->init.id);
	if (late_refusal(w, op) || race_refusal(w, op))
		return;
	freeze = op->rpc != M_START; /* whose gate has to be opened between the two */
	if (freeze)
		kill(w->shim, SIGSTOP); /* it is to find both at once */
	run_finish(w, op, c->part, false);
	if (op->used && op->runs[other].fd >= 0)
		run_finish(w, op, other, false);
	if (freeze)
		kill(w->shim, SIGCONT);
	race_end(w);
}

static void finish(struct world *w, const struct choice *c)
{
	if (draw(w, 3) == 0 && c->op->kind == M_OP_CALL)
		finish_both(w, c);
	else
		run_finish(w, c->op, c->part, draw(w, 2));
}

static void finish_call(struct world *w, enum m_rpc rpc, const char *id)
{
	struct m_call *c = free_call(w);

	ASSERT(c);
	*c = (struct m_call){ .open = true, .rpc = rpc };
	(void)str_copy(c->id, sizeof(c->id), id);
	tell(w, "%s %s", rpc_name(rpc), id);
	call_send(w, c);
	model_call(&w->model, c);
	catch_up(w);
}

void step(struct world *w, uint64_t seed)
{
	struct m_process *p;
	struct choice c;
	uint64_t what;
	bool any;

	w->random = seed;
	what = draw(w, 100);
	any = any_run(w, &c);
	p = any_process(w);
	if (what < 40 && any)
		finish(w, &c);
	else if (what >= 40 && what < 43 && p)
		end_process(w, p);
	else if (holder_may_act(w, what))
		holder_acts(w);
	else if ((what == 44 || what == 45 || w->orphans.n > W_STRAYS / 2) && w->orphans.n)
		orphan_end(w);
	else if (what == 46)
		leave(w);
	else if (what == 47)
		pass_time(w, draw(w, 4) ? M_SECOND : 10 * M_SECOND);
	else if (what == 48 && w->shim > 0)
		kill(w->shim, SIGUSR1); /* it looks at all it has, whatever state that is in */
	else
		make_call(w);
	catch_up(w);
	w->racing[0] = '\0';
	/* As containerd does after the last container. */
	if (w->model.pod.state == M_POD_SHUT && !model_has_task(&w->model))
		finish_call(w, M_SHUTDOWN, "c0");
}

/* --- the end --------------------------------------------------------------------------------- */

/* Everything ends and is deleted; what is left then is a leak. */
void wind_up(struct world *w)
{
	struct m_process *p;
	struct choice c;

	if (model_has_pod(&w->model))
		finish_call(w, M_POD_SHUTDOWN, w->model.pod.id);
	for (int i = 0; i < 2000; i++) {
		w->random = (uint64_t)i * 7919;
		if (any_run(w, &c)) {
			run_finish(w, c.op, c.part, false);
			catch_up(w);
			continue;
		}
		if ((p = any_process(w))) {
			end_process(w, p);
			catch_up(w);
			continue;
		}
		if (!model_has_task(&w->model))
			break;
		for (size_t k = 0; k < M_TASKS; k++) {
			if (w->model.tasks[k].used && !w->model.tasks[k].init.op) {
				finish_call(w, M_DELETE, w->model.tasks[k].init.id);
				break;
			}
		}
	}
	if (model_has_task(&w->model))
		wrong(w, "containers are left that cannot be deleted");
	while (w->orphans.n)
		orphan_end(w);
	catch_up(w);
	world_end(w);
	finish_call(w, M_SHUTDOWN, "c0");
	close(w->clients[0].fd);
}
