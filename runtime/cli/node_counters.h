/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/outcomes.h"
#include "runtime/cli/rearm_count.h"
#include "runtime/cli/shims.h"

/* What was counted on the node, see metrics.h. */
struct node_counters {
	struct outcome_row rows[OUTCOMES_MAX + 1];
	size_t n;
	struct rearmed_row rearmed[REARMED_MAX];
	size_t n_rearmed;
	struct shims shims;
	char trouble[300]; /* why it cannot be told; "" otherwise */
};

void node_counters_read(struct node_counters *ret);
