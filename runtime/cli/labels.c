/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/labels.h"

int labels_write(const struct node *n, struct buf *out, struct err *err)
{
	if (buf_printf(out, err, LABEL_READY "=true\n") < 0)
		return -1;
	for (size_t i = 0; i < n->n; i++) {
		const struct emulator *e = &n->list[i];

		if (e->works == WORKS_YES && !e->native && (e->entry->flags & BINFMT_F) &&
		    buf_printf(out, err, LABEL_EMULATOR "%s=true\n", arch_label(e->arch)) < 0)
			return -1;
	}
	for (unsigned int level = 1; level <= n->host.x86_level; level++)
		if (buf_printf(out, err, LABEL_LEVEL "%u=true\n", level) < 0)
			return -1;
	return 0;
}
