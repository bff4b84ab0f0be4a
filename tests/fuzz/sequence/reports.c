/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <string.h>

#include "runtime/base/str.h"
#include "runtime/prepare/report.h"
#include "tests/fuzz/sequence/world.h"

/* What prepare says, whole or not, once or twice, and whether it lives on after that. */

static void good_report(const struct world *w, struct report *r, bool private_pid)
{
	report_init(r);
	r->verdict = VERDICT_NATIVE;
	r->decided.flags = DECIDED_PRIVATE | (private_pid ? DECIDED_PRIVATE_PID : 0);
	(void)str_fmt(r->decided.engine, sizeof(r->decided.engine), "%s/engine", w->dir);
}

/* What a Create's prepare says before anything else; without @o, of a container to be refused. */
static void decide(struct world *w, int fd, const struct m_outcome *o)
{
	struct report r;

	good_report(w, &r, o && o->private_pid);
	r.flags = REPORT_DECIDED;
	if (o)
		r.decided.flags |=
			(o->mounted ? DECIDED_MOUNTED : 0) | (o->poststop ? DECIDED_POSTSTOP : 0);
	order(w, fd, STUB_REPORT, 0, &r, sizeof(r));
}

/*
 * Words about what was decided already, which nobody is to act on: an engine that is not there, a
 * cgroup of somebody else's, a file to be written.
 */
static void lie(struct world *w, struct report *r)
{
	if (draw(w, 2))
		return;
	(void)str_copy(r->decided.engine, sizeof(r->decided.engine), "/nowhere/engine");
	(void)str_copy(r->decided.cgroup, sizeof(r->decided.cgroup), "/somebody/else");
	r->decided.flags ^= DECIDED_PRIVATE_PID | DECIDED_MOUNTED | DECIDED_POSTSTOP;
	r->flags |= REPORT_PATCHED;
}

void report_refusal(struct world *w, int fd)
{
	struct report r;

	good_report(w, &r, false);
	r.verdict = VERDICT_REFUSE;
	(void)str_copy(r.line, sizeof(r.line), "crossarch[no-emulator]: no");
	order(w, fd, STUB_REPORT, 0, &r, sizeof(r));
}

/* The last thing prepare says; it may live on for a while, and nobody waits for that. */
static void last_words(struct world *w, struct m_run *r, const struct report *report)
{
	order(w, r->fd, STUB_REPORT, 0, report, sizeof(*report));
	if (draw(w, 2))
		return;
	order(w, r->fd, draw(w, 2) ? STUB_EXIT : STUB_KILL, SIGSYS, NULL, 0);
	fd_close(&r->fd);
}

/* Without a whole report: the code the caller is told. */
static int dies_early(struct world *w, struct m_run *run)
{
	unsigned int which = (unsigned int)draw(w, 3);
	struct report r;

	good_report(w, &r, false);
	if (which == 0)
		order(w, run->fd, STUB_REPORT, 0, &r, sizeof(r) / 2);
	order(w, run->fd, which == 1 ? STUB_KILL : STUB_EXIT,
	      which == 1 ? SIGKILL
	      : which	 ? 1
			 : 0,
	      NULL, 0);
	fd_close(&run->fd);
	run_ended(w, run);
	return which ? M_UNKNOWN : M_INVALID;
}

/* All the ways not to say yes. */
static int bad_prepare(struct world *w, struct m_run *run, bool first)
{
	static const struct {
		enum err_code code;
		int rpc;
	} codes[] = { { ERR_INVALID, 3 },
		      { ERR_NOT_FOUND, 5 },
		      { ERR_IO, 2 },
		      { ERR_LIMIT, 8 },
		      { ERR_NOMEM, 14 },
		      { ERR_TIMEOUT, 4 },
		      { ERR_PRECONDITION, M_REFUSED } };
	unsigned int which = (unsigned int)draw(w, 9), n = (unsigned int)draw(w, ARRAY_SIZE(codes));
	bool decided = first && draw(w, 2);
	int rpc = M_INVALID;
	struct report r;

	if (decided)
		decide(w, run->fd, NULL);
	if (which > 6)
		return dies_early(w, run);
	good_report(w, &r, false);
	if (which < 2) {
		r.verdict = VERDICT_REFUSE;
		(void)str_copy(r.line, sizeof(r.line), "crossarch[no-emulator]: no");
		rpc = M_REFUSED;
	} else if (which == 2) {
		r.verdict = VERDICT_NONE;
		r.err.code = codes[n].code;
		(void)str_copy(r.err.text, sizeof(r.err.text), "something failed");
		rpc = codes[n].rpc;
	} else if (which == 3 && !first) {
		r.flags |= REPORT_MORE;
	} else if (which == 4 && first && !decided) {
		r.verdict = VERDICT_EMULATE; /* of a container of which nothing is decided */
	} else if (which == 5 && (!first || decided)) {
		r.flags |= REPORT_DECIDED; /* once more, or where nothing is to be decided */
	} else {
		r.version++;
	}
	last_words(w, run, &r);
	return rpc;
}

/* The engine's own words, as prepare would have read them from its log. */
int words(struct world *w, int fd)
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

/* Whatever it finds, dies of or says: the exit it looks into is told afterwards. */
void answer_look(struct world *w, struct m_op *op)
{
	struct m_run *run = &op->runs[M_CHECK];
	struct m_outcome o = { .ok = true };
	struct report r;

	good_report(w, &r, false);
	r.verdict = VERDICT_REFUSE;
	if (draw(w, 2))
		last_words(w, run, &r);
	else
		(void)dies_early(w, run);
	run->answered = true;
	tell(w, "  a look at the exit ends");
	if (run->fd >= 0)
		add_stray(&w->orphans, run->fd, run->pid);
	model_done(&w->model, op, M_CHECK, &o);
	model_settle(&w->model);
}

/* The files of the pod go into the specification, mostly; the engine waits for that. */
void answer_edit(struct world *w, struct m_op *op)
{
	struct m_run *run = &op->runs[M_STEP];
	bool refuses = draw(w, 6) == 0;
	struct report r;

	tell(w, "  the edit %s", refuses ? "refuses" : "ends");
	if (refuses) {
		report_refusal(w, run->fd);
	} else {
		good_report(w, &r, false);
		order(w, run->fd, STUB_REPORT, 0, &r, sizeof(r));
	}
	order(w, run->fd, draw(w, 2) ? STUB_EXIT : STUB_KILL, SIGKILL, NULL, 0);
	fd_close(&run->fd);
	model_edited(&w->model, op, refuses ? M_REFUSED : M_OK);
	model_settle(&w->model);
}

/* A report that says yes: what it says besides. */
static void say_yes(struct world *w, struct m_run *run, bool first, bool more, struct m_outcome *o)
{
	bool private = str_eq(run->verb, "private");
	struct report r;

	good_report(w, &r, o->private_pid);
	o->ok = true;
	o->more = more;
	o->mounted = draw(w, 2);
	o->poststop = draw(w, 3) == 0;
	o->private_emulator = !private && draw(w, 6) == 0;
	r.flags |= (o->private_emulator ? REPORT_PRIVATE : 0) | (more ? REPORT_MORE : 0);
	r.verdict = o->private_emulator ? VERDICT_EMULATE : VERDICT_NATIVE;
	if (first)
		decide(w, run->fd, o);
	lie(w, &r);
	if (more)
		order(w, run->fd, STUB_REPORT, 0, &r, sizeof(r));
	else
		last_words(w, run, &r);
}

/* prepare reports, or dies; of two reports both may come at once. */
void prepare_speaks(struct world *w, struct m_op *op)
{
	struct m_run *run = &op->runs[M_CHECK];
	bool first = op->rpc == M_CREATE && !op->reported, exec = op->rpc == M_START;
	struct m_outcome o = { .fd = -1, .private_pid = draw(w, 2) };

	if (draw(w, exec ? 4 : 10))
		say_yes(w, run, first, first && draw(w, 2), &o);
	else
		o.code = bad_prepare(w, run, first);
	tell(w, "prepare %s of %s %s reports: code %d%s%s", run->verb, op->task->init.id,
	     op->process->id, o.code, o.more ? ", more to come" : "",
	     run->fd < 0 ? ", and ends" : "");
	if (run->fd < 0)
		*run = (struct m_run){ .verb = run->verb, .fd = -1 };
	model_report(&w->model, op, &o);
	if (o.more && !op->runs[M_STEP].wanted && draw(w, 4) == 0)
		prepare_speaks(w, op);
}

void end_lingering(struct world *w, struct m_op *op, struct m_run *r)
{
	struct m_outcome o = { .ok = true };

	tell(w, "prepare %s of %s ends, as nobody waits for", r->verb, op->task->init.id);
	order(w, r->fd, draw(w, 2) ? STUB_EXIT : STUB_KILL, SIGKILL, NULL, 0);
	fd_close(&r->fd);
	model_done(&w->model, op, M_CHECK, &o);
}
