/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/why_record.h"

#include "runtime/base/str.h"
#include "runtime/cli/log_tail.h"
#include "runtime/containerd/cri_status.h"
#include "runtime/plan/line_text.h"

#define ANSWER_MS 30000
#define TEXT_SHOWN 1500

void why_record_deinit(struct why_record *w)
{
	container_verdict_deinit(&w->verdict);
}

/* --- how it is ------------------------------------------------------------------------------- */

/* A runtime quotes what image authors wrote. */
static const char *clean(struct arena *arena, const char *text)
{
	char line[TEXT_SHOWN + 8], *copy;
	struct text t;

	if (!*text)
		return "";
	text_init(&t, line, sizeof(line));
	text_name(&t, text, TEXT_SHOWN);
	copy = arena_strdup(arena, line);
	return copy ? copy : "";
}

/* What is running, or ended and was not deleted yet. */
static void read_task(const struct task_entry *t, struct why_record *w)
{
	if (!t)
		return;
	if (t->state == TASK_STOPPED)
		w->state = WHY_ENDED;
	else if (t->state == TASK_UNKNOWN) /* its shim did not answer containerd */
		w->state = WHY_NOT_TOLD;
	else
		w->state = t->state == TASK_CREATED ? WHY_CREATED : WHY_RUNNING;
	w->exit_status = t->exit_status;
	if (t->exited)
		w->when = t->exited;
}

/* CRI remembers how a container ended until the kubelet has it removed. */
static void read_cri(const struct node_container *c, struct arena *arena, struct why_record *w)
{
	struct cri_status s;
	struct err ignored;

	rpc_allow(c->space->rpc, ANSWER_MS);
	if (!*c->pod_id || c->sandbox ||
	    cri_status_of(c->space->rpc, c->entry.id, arena, &s, &ignored) < 0)
		return;
	w->reason = clean(arena, s.reason);
	w->message = clean(arena, s.message);
	if (*s.log)
		(void)log_tail_complaint(s.log, w->complaint, sizeof(w->complaint));
	if (!s.exited)
		return;
	w->state = WHY_ENDED;
	w->exit_status = s.exit_status;
	if (s.finished)
		w->when = s.finished;
}

void why_record_read(const struct node_container *c, struct arena *arena, struct why_record *ret)
{
	*ret = (struct why_record){ .c = c,
				    .attempts = 1,
				    .when = c->entry.created,
				    .state = *c->space->tasks_unknown ? WHY_NOT_TOLD
								      : WHY_NOT_RUNNING,
				    .reason = "",
				    .message = "" };
	read_task(c->task, ret);
	read_cri(c, arena, ret);
}

void why_record_judge(const struct container_judge *j, struct why_record *w)
{
	container_judge(j, w->c, &w->verdict);
}

/* --- what it comes to ------------------------------------------------------------------------ */

bool why_record_failed(const struct why_record *w)
{
	if (w->state == WHY_ENDED)
		return w->exit_status || str_eq(w->reason, "StartError");
	return w->state == WHY_NOT_RUNNING || w->state == WHY_CREATED;
}

bool why_record_complains(const struct why_record *w)
{
	return *w->complaint || is_exec_complaint(w->message);
}

bool why_record_is_ours(const struct why_record *w)
{
	const struct report *r = w->verdict.report;

	return why_record_complains(w) || (r && r->verdict == VERDICT_REFUSE);
}
