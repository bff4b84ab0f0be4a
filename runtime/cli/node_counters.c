/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/node_counters.h"

#include "runtime/base/str.h"

void node_counters_read(struct node_counters *ret)
{
	struct err err = ERR_INIT;

	ret->n = ret->n_rearmed = 0;
	ret->trouble[0] = '\0';
	shims_look(&ret->shims);
	if (outcomes_read(OUTCOMES_FILE, ret->rows, &ret->n, &err) < 0 ||
	    rearmed_read(REARMED_FILE, ret->rearmed, &ret->n_rearmed, &err) < 0)
		(void)str_fmt(ret->trouble, sizeof(ret->trouble), "%.280s", err.text);
}
