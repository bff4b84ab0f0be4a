/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/plan/template.h"

#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

void template_write(struct text *out, const char *template, template_name *put, void *ctx)
{
	char piece[256];

	while (*template) {
		size_t n = strcspn(template, "{");

		(void)str_fmt(piece, sizeof(piece), "%.*s", (int)n, template);
		text_add(out, piece);
		template += n;
		if (!*template)
			break;
		n = strcspn(template, "}");
		ASSERT(put(ctx, template + 1, n - 1));
		template += n + 1;
	}
}
