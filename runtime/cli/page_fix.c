/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/page_fix.h"

#include <string.h>

/* An option is not to be broken after its dashes. */
void page_fix(struct html *h, const char *fix)
{
	html_mark(h, "<p class=\"fix\"><b>Fix</b> <code>");
	while (*fix) {
		size_t blanks = strspn(fix, " "), word = strcspn(fix + blanks, " ");
		bool option = fix[blanks] == '-';

		html_mark(h, blanks ? " " : "");
		html_mark(h, option ? "<span>" : "");
		html_textf(h, "%.*s", (int)word, fix + blanks);
		html_mark(h, option ? "</span>" : "");
		fix += blanks + word;
	}
	html_mark(h, "</code></p>\n");
}
