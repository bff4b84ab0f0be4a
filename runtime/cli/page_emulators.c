/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/page_emulators.h"

#include "runtime/base/str.h"
#include "runtime/cli/boot_file.h"
#include "runtime/cli/emulator_display.h"

static const char *mark_of(enum tone tone)
{
	switch (tone) {
	case TONE_GOOD:
		return "ok";
	case TONE_WARN:
		return "warning";
	case TONE_BAD:
		return "problem";
	case TONE_PLAIN:
	case TONE_DIM:
		break;
	}
	return "info";
}

/* What a person wants to know at once: does it run here? */
static void state(struct html *h, const struct node *n, const struct emulator *e)
{
	const char *state = emulator_state(n, e);
	char outcome[200];
	enum tone tone;

	emulator_outcome(e, outcome, sizeof(outcome), &tone);
	if (e->works == WORKS_UNTRIED && !str_eq(state, "enabled")) {
		tone = str_eq(state, "covered") ? TONE_DIM : TONE_WARN;
		(void)str_copy(outcome, sizeof(outcome), state);
	}
	html_markf(h, "<span class=\"mark %s\">", mark_of(tone));
	html_text(h, outcome);
	html_mark(h, "</span>");
}

static void row(struct html *h, const struct node *n, const struct emulator *e)
{
	char flags[8];

	emulator_flags(e, flags);
	html_mark(h, "<tr><th scope=\"row\">");
	html_text(h, arch_label(e->arch));
	html_mark(h, "</th><td>");
	html_textf(h, "%s %s", e->kind->name, e->version);
	html_mark(h, "<small>");
	html_textf(h, "%s, flags %s", e->entry->name, flags);
	html_mark(h, "</small><small><code>");
	html_text(h, e->entry->interpreter);
	html_mark(h, "</code></small></td><td>");
	state(h, n, e);
	html_markf(h, "<small>%s</small></td></tr>\n",
		   boot_file_is_read(e->boot) ? "comes back after a reboot"
					      : "gone after a reboot");
}

static size_t known(const struct node *n)
{
	size_t found = 0;

	for (size_t i = 0; i < n->n; i++)
		found += n->list[i].arch != NULL;
	return found;
}

static void table(struct html *h, const struct node *n)
{
	html_mark(h, "<table class=\"emulators\"><caption>Handlers of binfmt_misc for other "
		     "architectures</caption>\n<thead><tr><th scope=\"col\">for</th><th "
		     "scope=\"col\">emulator</th><th scope=\"col\">here and now</th></tr></thead>"
		     "\n<tbody>\n");
	for (size_t i = 0; i < n->n; i++)
		if (n->list[i].arch)
			row(h, n, &n->list[i]);
	html_mark(h, "</tbody></table>\n");
}

void page_emulators(struct html *h, const struct node *n)
{
	html_mark(h, "<section aria-labelledby=\"emulators\">\n<h2 id=\"emulators\">Emulators</h2>"
		     "\n");
	if (known(n))
		table(h, n);
	else if (emulators_absence(n))
		html_element(h, "p", NULL, emulators_absence(n));
	else
		html_mark(h, "<p>None: only programs of the node's own architecture run.</p>\n");
	html_mark(h, "</section>\n");
}
