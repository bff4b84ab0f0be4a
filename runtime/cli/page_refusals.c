/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/page_refusals.h"

#include <string.h>

#include "runtime/base/str.h"
#include "runtime/cli/page_fix.h"

#define FIX ". Fix: "
#define SHORT_ID 13

/* --- the line ------------------------------------------------------------------------------- */

/* The last one: a name of an image's file may hold the same words. */
static const char *fix_in(const char *line)
{
	const char *last = NULL;

	for (const char *at = strstr(line, FIX); at; at = strstr(at + 1, FIX))
		last = at;
	return last;
}

/* "crossarch[CODE]: WHAT; WHY. Fix: FIX." as a sentence and what to do. */
static void line_parts(struct html *h, const struct report *r)
{
	const char *said = strstr(r->line, "]: "), *fix = fix_in(r->line);

	said = said ? said + strlen("]: ") : r->line;
	html_mark(h, "<p><code class=\"code\">");
	html_text(h, r->code);
	html_mark(h, "</code> ");
	if (!fix || fix < said) {
		html_text(h, said);
		html_mark(h, "</p>\n");
		return;
	}
	html_textf(h, "%.*s.", (int)(fix - said), said);
	html_mark(h, "</p>\n");
	page_fix(h, fix + strlen(FIX));
}

static void verdict(struct html *h, const struct why_record *w)
{
	const struct report *r = w->verdict.report;

	if (r && r->verdict == VERDICT_REFUSE) {
		line_parts(h, r);
	} else if (r && r->verdict != VERDICT_NONE) {
		html_mark(h, "<p>Its own program would run here now: the kernel would not execute "
			     "something that it starts, or the node has changed since.</p>\n");
	} else {
		html_mark(h, "<p>Not judged: ");
		html_text(h, r ? r->err.text : w->verdict.why);
		html_mark(h, "</p>\n");
	}
}

/* --- a container ---------------------------------------------------------------------------- */

static void name(struct html *h, const struct node_container *c)
{
	if (*c->pod)
		html_textf(h, "%s/%s", c->pod_namespace, c->pod);
	else
		html_text(h, c->entry.id);
	html_mark(h, " ");
	html_element(h, "small", NULL, c->name);
}

static void facts(struct html *h, const struct why_record *w)
{
	const struct node_container *c = w->c;

	html_mark(h, "<p class=\"facts\">");
	if (w->when > 0) {
		html_mark(h, "<span>");
		html_time(h, w->when);
		html_mark(h, "</span>");
	}
	html_element(h, "span", NULL, *c->asked_image ? c->asked_image : c->entry.image);
	if (*w->verdict.platform)
		html_element(h, "span", NULL, w->verdict.platform);
	html_element(h, "span", NULL, c->entry.runtime);
	html_mark(h, "<span>exit status ");
	html_textf(h, "%lld", (long long)w->exit_status);
	html_mark(h, "</span><span>");
	html_textf(h, "%.*s in %s", SHORT_ID, c->entry.id, c->space->name);
	html_mark(h, "</span></p>\n");
}

/* What was heard of it, unless that is the line that follows. */
static void said(struct html *h, const struct why_record *w)
{
	if (*w->message && !strstr(w->message, "crossarch[")) {
		html_mark(h, "<p class=\"said\"><b>The runtime said</b> ");
		html_text(h, w->message);
		html_mark(h, "</p>\n");
	}
	if (*w->complaint) {
		html_mark(h, "<p class=\"said\"><b>Its log says</b> ");
		html_text(h, w->complaint);
		html_mark(h, "</p>\n");
	}
}

static void container(struct html *h, const struct why_record *w)
{
	html_mark(h, "<li><article class=\"card plain\">\n<h3>");
	name(h, w->c);
	html_mark(h, "</h3>\n");
	facts(h, w);
	said(h, w);
	verdict(h, w);
	html_mark(h, "</article></li>\n");
}

static void none(struct html *h, const struct node_refusals *r)
{
	if (*r->trouble) {
		html_mark(h, "<p>They cannot be told: ");
		html_text(h, r->trouble);
		html_mark(h, "</p>\n");
		return;
	}
	html_markf(h,
		   "<p>None of the %zu containers that containerd knows failed for a reason that "
		   "crossarch would have told.</p>\n",
		   r->all.n);
}

void page_refusals(struct html *h, const struct node_refusals *r)
{
	html_mark(h, "<section aria-labelledby=\"refusals\">\n<h2 id=\"refusals\">Last refusals"
		     "</h2>\n");
	if (!r->n)
		none(h, r);
	else
		html_mark(h, "<ol class=\"refusals\">\n");
	for (size_t i = 0; i < r->n; i++)
		container(h, &r->list[i]);
	html_mark(h, r->n ? "</ol>\n" : "");
	if (r->n == PAGE_REFUSALS_MAX)
		html_markf(h,
			   "<p>The newest %d; <code>crossarch why</code> shows all of them.</p>\n",
			   PAGE_REFUSALS_MAX);
	html_mark(h, "</section>\n");
}
