/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/crash_watch.h"

#include <signal.h>
#include <string.h>

#include "runtime/base/log.h"
#include "shim/host/crashed_emulator.h"
#include "shim/task/operation.h"

/* The looks of all shims of a node fall together, so that they wake its processor once. */
#define LOOK_NS MS_TO_NS(400)
/*
 * That a second thread died of SIGABRT shows in that thread only. Mostly all others stand still
 * then: qemu stops them to write a core file. Where it writes none they run on, hence a look at all
 * of them after so many while the process works; and after so many while it sleeps, for a processor
 * time that is too coarse to show what takes a moment only.
 */
#define LOOKS_AT_WORK 2
#define LOOKS_ASLEEP 32
#define PROOF_BOUND_NS S_TO_NS(5)

static bool runs(const struct task *t)
{
	return t->init.pid && !t->init.exited;
}

/* --- the end -------------------------------------------------------------------------------- */

static void end_emulator(struct task *t, int sig)
{
	struct err err;

	t->crash.signal = sig;
	log_warning(task_subject(t),
		    "the emulated program crashed with signal %d (SIG%s), and as process 1 its "
		    "emulator cannot end by that: it is ended, exit code %d",
		    sig, sigabbrev_np(sig) ? sigabbrev_np(sig) : "RT", 128 + sig);
	if (child_signal(&t->init.child, SIGKILL, &err) < 0)
		log_write(LOG_WARNING, task_subject(t), LOG_FIELDS(.error = err.text),
			  "end of the crashed program");
}

static void on_proven(struct operation *op, uint32_t code)
{
	const struct crashed_emulator *suspect = op->data;
	struct task *t = op->task;

	t->crash.proving = false;
	/* It may have been killed meanwhile, or paused: then the next look sees to it. */
	if (!op->timed_out && code == (uint32_t)suspect->signal && runs(t) &&
	    t->init.state == PROCESS_RUNNING)
		end_emulator(t, suspect->signal);
	operation_succeed(op, NULL);
}

static void prove(struct task *t, const struct crashed_emulator *suspect)
{
	struct crashed_emulator *copy = malloc(sizeof(*copy));
	struct operation *op;
	struct err err;

	op = copy ? operation_new(t, NULL, NULL, &err) : NULL;
	if (!op) {
		free(copy);
		return;
	}
	*copy = *suspect;
	op->data = copy;
	op->free_data = free;
	op->bound_ns = PROOF_BOUND_NS;
	t->crash.proving = true;
	if (operation_fork(op, crashed_prove, copy, on_proven, &err) == 0)
		return;
	log_write(LOG_DEBUG, task_subject(t), LOG_FIELDS(.error = err.text),
		  "no look at the emulated program");
	t->crash.proving = false;
	operation_end(op, &err);
}

/* --- looking -------------------------------------------------------------------------------- */

/* True when all threads are to be looked at this time, not just the first one. */
static bool all_are_due(struct crash *w, bool moved)
{
	bool fell_asleep = !moved && w->moved;

	w->moved = moved;
	if (++w->looks < (moved ? LOOKS_AT_WORK : LOOKS_ASLEEP) && !fell_asleep)
		return false;
	w->looks = 0;
	return true;
}

static void look_at_init(struct task *t)
{
	struct crash *w = &t->crash;
	uint64_t clock = crashed_clock(t->init.pid);
	bool moved = clock != w->clock;
	bool all = all_are_due(w, moved);
	struct crashed_emulator suspect;

	w->clock = clock;
	if ((moved || all) && crashed_look(t->init.pid, all, &suspect))
		prove(t, &suspect);
}

static void arm(const struct context *context)
{
	timer_arm(context->looks, context->loop, LOOK_NS - now_ns() % LOOK_NS);
}

static void on_look(struct timer *timer)
{
	const struct tasks *tasks = container_of(timer, struct crash_looks, timer)->tasks;
	bool any = false;

	list_for_each(node, &tasks->list) {
		struct task *t = list_entry(node, struct task, in_tasks);

		if (!t->crash.watched || !runs(t) || t->crash.signal)
			continue;
		any = true;
		if (t->init.state == PROCESS_RUNNING && !t->crash.proving)
			look_at_init(t);
	}
	if (any)
		arm(tasks->context);
}

void crash_looks_init(struct crash_looks *l, const struct tasks *tasks)
{
	*l = (struct crash_looks){ .timer.on_fire = on_look, .tasks = tasks };
}

void crash_looks_deinit(struct crash_looks *l)
{
	timer_disarm(&l->timer);
}

static void begin_watch(struct task *t)
{
	t->crash.watched = true;
	if (!timer_armed(t->context->looks))
		arm(t->context);
}

void crash_watch(struct task *t)
{
	if (t->emulated && t->private_pid && runs(t))
		begin_watch(t);
}

void crash_watch_late(const struct tasks *tasks)
{
	list_for_each(node, &tasks->list) {
		struct task *t = list_entry(node, struct task, in_tasks);

		if (t->private_pid && !t->crash.watched && runs(t) &&
		    t->init.state == PROCESS_RUNNING && crashed_is_emulator(t->init.pid))
			begin_watch(t);
	}
}

void crash_ended(const struct task *t, struct exit_status *status)
{
	if (t->crash.signal && status->code == 128 + SIGKILL)
		status->code = 128 + (uint32_t)t->crash.signal;
}
