/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/scan_containers.h"

#include <stdlib.h>

int scan_containers(struct scan *s, const struct container_judge *j, scan_on_progress *on_progress,
		    struct err *err)
{
	s->containers = calloc(s->node.n + 1, sizeof(*s->containers));
	if (!s->containers)
		return err_set(err, ERR_NOMEM, "no memory for %zu containers", s->node.n);
	for (size_t i = 0; i < s->node.n; i++) {
		struct scan_container *c = &s->containers[s->n_containers];

		on_progress("containers", i, s->node.n);
		if (s->node.list[i].sandbox)
			continue;
		c->c = &s->node.list[i];
		container_judge(j, c->c, &c->verdict);
		s->n_containers++;
	}
	return 0;
}
