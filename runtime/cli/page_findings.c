/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/page_findings.h"

#include "runtime/base/str.h"
#include "runtime/cli/page_fix.h"

static void fix_of(struct html *h, const struct finding *one)
{
	html_markf(h, "<article class=\"card %s\">\n<h3><span class=\"mark %s\">%s</span> ",
		   grade_word(one->grade), grade_word(one->grade), grade_word(one->grade));
	html_text(h, one->name);
	html_mark(h, " ");
	html_element(h, "small", NULL, one->section);
	html_mark(h, "</h3>\n");
	html_element(h, "p", NULL, one->value);
	html_mark(h, "\n");
	if (one->fix[0])
		page_fix(h, one->fix);
	html_mark(h, "</article>\n");
}

void page_fixes(struct html *h, const struct findings *f)
{
	static const enum grade worst_first[] = { GRADE_BAD, GRADE_WARN };
	size_t n = 0;

	html_mark(h, "<section aria-labelledby=\"fixes\">\n<h2 id=\"fixes\">To do</h2>\n");
	for (size_t g = 0; g < ARRAY_SIZE(worst_first); g++)
		for (size_t i = 0; i < f->n; i++)
			if (f->list[i].grade == worst_first[g]) {
				fix_of(h, &f->list[i]);
				n++;
			}
	if (!n)
		html_mark(h, "<p>Nothing: all that was looked at is well.</p>\n");
	html_mark(h, "</section>\n");
}

static void finding_row(struct html *h, const struct finding *one)
{
	html_mark(h, "<tr><th scope=\"row\">");
	html_text(h, one->name);
	html_markf(h, "</th><td><span class=\"mark %s\">%s</span></td><td>", grade_word(one->grade),
		   grade_word(one->grade));
	html_text(h, one->value);
	html_mark(h, "</td></tr>\n");
}

void page_findings(struct html *h, const struct findings *f)
{
	const char *section = "";

	html_mark(h, "<section aria-labelledby=\"findings\">\n<h2 id=\"findings\">All that was "
		     "looked at</h2>\n");
	for (size_t i = 0; i < f->n; i++) {
		if (!str_eq(section, f->list[i].section)) {
			html_mark(h, i ? "</tbody></table>\n" : "");
			html_mark(h, "<table class=\"findings\"><caption>");
			html_text(h, f->list[i].section);
			html_mark(h, "</caption>\n<thead><tr><th scope=\"col\">what</th><th "
				     "scope=\"col\">state</th><th scope=\"col\">found</th></tr>"
				     "</thead>\n<tbody>\n");
		}
		section = f->list[i].section;
		finding_row(h, &f->list[i]);
	}
	html_mark(h, f->n ? "</tbody></table>\n</section>\n" : "</section>\n");
}
