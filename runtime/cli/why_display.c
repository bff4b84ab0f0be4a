/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/why_display.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "runtime/base/str.h"
#include "runtime/cli/output.h"
#include "runtime/cli/verdict.h"

#define SHORT_ID 13

static const char *const states[] = {
	[WHY_NOT_RUNNING] = "not running", [WHY_CREATED] = "created",
	[WHY_RUNNING] = "running",	   [WHY_ENDED] = "ended",
	[WHY_NOT_TOLD] = "unknown",
};

static void format_time(int64_t seconds, char *ret, size_t size)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	ret[0] = '\0';
	if (seconds > 0 && gmtime_r(&t, &tm))
		(void)strftime(ret, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* "runc" of "io.containerd.runc.v2" */
static void short_runtime(const char *runtime, char *ret, size_t size)
{
	const char *name = str_after(runtime, "io.containerd.");
	const char *dot = name ? strrchr(name, '.') : NULL;

	if (dot)
		(void)str_fmt(ret, size, "%.*s", (int)(dot - name), name);
	else
		(void)str_copy(ret, size, runtime);
}

/* An id of ctr's is a name that people gave; those of the CRI and of nerdctl are long. */
static int id_shown(const struct node_container *c)
{
	return *c->name || *c->pod_id ? SHORT_ID : (int)strlen(c->entry.id);
}

/* Whoever can make containers may call them anything. */
void why_print_name(FILE *to, const struct node_container *c, unsigned int indent)
{
	char name[800], safe[800];

	(void)str_fmt(name, sizeof(name), "%.80s%s%.253s%s%s%.80s%s%.*s (namespace %.80s)",
		      c->pod_namespace, *c->pod ? "/" : "", c->pod, *c->pod ? " " : "",
		      c->sandbox ? "sandbox"
		      : *c->name ? "container "
				 : "",
		      c->sandbox ? "" : c->name, c->sandbox || *c->name ? " " : "", id_shown(c),
		      c->entry.id, c->space->name);
	fprintf(to, "%*s%s\n", (int)indent, "", shown(safe, sizeof(safe), name));
}

/* --- for people ------------------------------------------------------------------------------ */

static void print_state(const struct why_record *w)
{
	char when[40];

	format_time(w->when, when, sizeof(when));
	if (w->state == WHY_ENDED)
		printf("  ended     %s%swith status %lld%s%s%s\n", when, *when ? " " : "",
		       (long long)w->exit_status, *w->reason ? " (" : "", w->reason,
		       *w->reason ? ")" : "");
	else if (w->state == WHY_NOT_TOLD)
		printf("  state     not known: %s\n",
		       *w->c->space->tasks_unknown ? w->c->space->tasks_unknown
						   : "its shim does not answer containerd");
	else if (w->state == WHY_RUNNING)
		printf("  running   pid %u\n", w->c->task->pid);
	else
		printf("  %s%s%s\n", states[w->state], *when ? ", made " : "", when);
}

static void print_said(const struct why_record *w, const char *runtime)
{
	if (*w->message)
		printf("  %s said: %s\n", runtime, w->message);
	if (*w->complaint)
		printf("  its log says: %s\n", w->complaint);
}

static void print_verdict(const struct why_record *w)
{
	const struct report *r = w->verdict.report;

	if (!r) {
		printf("  %snot judged%s: %s\n", tone_on(TONE_DIM), tone_off(), w->verdict.why);
		return;
	}
	verdict_print(r, 2);
	if (why_record_complains(w) && r->verdict != VERDICT_REFUSE && r->verdict != VERDICT_NONE)
		printf("  Its own program would run here now. What the kernel would not execute "
		       "was "
		       "something that it starts, or the node has changed since.\n");
}

void why_print(const struct why_record *w)
{
	const struct node_container *c = w->c;
	char runtime[64], short_name[64], image[300];

	short_runtime(shown(runtime, sizeof(runtime), c->entry.runtime), short_name,
		      sizeof(short_name));
	why_print_name(stdout, c, 0);
	printf("  runtime   %s\n", runtime);
	printf("  image     %s%s%s%s\n",
	       shown(image, sizeof(image), *c->asked_image ? c->asked_image : c->entry.image),
	       *w->verdict.platform ? " (" : "", w->verdict.platform,
	       *w->verdict.platform ? ")" : "");
	if (*c->command)
		printf("  command   %s\n", c->command);
	if (w->attempts > 1)
		printf("  attempt   the newest of %zu that containerd still knows\n", w->attempts);
	print_state(w);
	print_said(w, short_name);
	print_verdict(w);
}

/* --- for programs ---------------------------------------------------------------------------- */

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

json *why_json(const struct why_record *w)
{
	const struct node_container *c = w->c;
	json *o = w->verdict.report ? verdict_json(w->verdict.report) : json_object_new_object();
	char when[40];

	format_time(w->when, when, sizeof(when));
	json_put_text(o, "namespace", c->space->name);
	json_put_text(o, "id", c->entry.id);
	json_put_text(o, "pod_namespace", or_null(c->pod_namespace));
	json_put_text(o, "pod", or_null(c->pod));
	json_put_text(o, "container", or_null(c->name));
	json_put_bool(o, "sandbox", c->sandbox);
	json_put_text(o, "runtime", c->entry.runtime);
	json_put_text(o, "image", or_null(*c->asked_image ? c->asked_image : c->entry.image));
	json_put_text(o, "platform", or_null(w->verdict.platform));
	json_put_text(o, "command", or_null(c->command));
	json_put_number(o, "attempts", (int64_t)w->attempts);
	json_put_text(o, "state", states[w->state]);
	json_put_text(o, "time", or_null(when));
	if (w->state == WHY_ENDED)
		json_put_number(o, "exit_status", w->exit_status);
	json_put_text(o, "reason", or_null(w->reason));
	json_put_text(o, "message", or_null(w->message));
	json_put_text(o, "log", or_null(w->complaint));
	if (!w->verdict.report)
		json_put_text(o, "unchecked", w->verdict.why);
	return o;
}
