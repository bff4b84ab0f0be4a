/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/doctor_html.h"

#include "config.h"
#include "revision.h"
#include "runtime/base/str.h"
#include "runtime/cli/html_writer.h"
#include "runtime/cli/page_counters.h"
#include "runtime/cli/page_emulators.h"
#include "runtime/cli/page_findings.h"
#include "runtime/cli/page_refusals.h"
#include "runtime/cli/page_style.h"

static const char *value_of(const struct findings *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_eq(f->list[i].name, name))
			return f->list[i].value;
	return NULL;
}

/* Nothing is loaded and nothing runs, even if somebody found a way past html_text(). */
static void head(struct html *h, const struct doctor_page *p)
{
	html_mark(h, "<!DOCTYPE html>\n"
		     "<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
		     "<meta charset=\"utf-8\"/>\n"
		     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		     "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\"/>\n"
		     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
		     "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
		     "<meta name=\"referrer\" content=\"no-referrer\"/>\n<title>");
	html_textf(h, "%s: crossarch", p->name);
	html_mark(h, "</title>\n<style>\n");
	page_style(h);
	html_mark(h, "</style>\n</head>\n<body>\n");
}

static const char *tone_of(const struct findings *f)
{
	if (findings_count(f, GRADE_BAD))
		return "problem";
	return findings_count(f, GRADE_WARN) ? "warning" : "ok";
}

static void masthead(struct html *h, const struct doctor_page *p)
{
	static const char *const facts[] = { "platform", "processor" };
	char summary[64];

	findings_summary(p->findings, summary, sizeof(summary));
	html_mark(h, "<header>\n<p class=\"brand\">crossarch on the node</p>\n");
	html_element(h, "h1", NULL, p->name);
	html_markf(h, "\n<p class=\"state %s\">", tone_of(p->findings));
	html_text(h, summary);
	html_mark(h, "</p>\n<p class=\"facts\">");
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		const char *value = value_of(p->findings, facts[i]);

		if (value)
			html_element(h, "span", NULL, value);
	}
	html_mark(h, "<span>as of ");
	html_time(h, p->when);
	html_mark(h, "</span></p>\n</header>\n");
}

static void navigation(struct html *h)
{
	html_mark(h, "<nav aria-label=\"On this page\"><a href=\"#fixes\">To do</a> "
		     "<a href=\"#refusals\">Refusals</a> <a href=\"#emulators\">Emulators</a> "
		     "<a href=\"#counters\">Counters</a> <a href=\"#findings\">Everything</a>"
		     "</nav>\n");
}

static void foot(struct html *h)
{
	html_mark(h, "<footer><p>Made by <code>crossarch doctor --html</code>, crossarch ");
	html_text(h, CROSSARCH_VERSION " (" CROSSARCH_REVISION ")");
	html_mark(h, ". Nothing on this page is loaded from elsewhere.</p></footer>\n"
		     "</body>\n</html>\n");
}

int doctor_html(const struct doctor_page *p, struct buf *out, struct err *err)
{
	struct html h = { .out = out, .err = err };

	head(&h, p);
	masthead(&h, p);
	navigation(&h);
	html_mark(&h, "<main>\n");
	page_fixes(&h, p->findings);
	page_refusals(&h, p->refusals);
	page_emulators(&h, p->node);
	page_counters(&h, p->counters);
	page_findings(&h, p->findings);
	html_mark(&h, "</main>\n");
	foot(&h);
	return h.failed ? -1 : 0;
}
