/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tests/tools/faults/faults.h"

/* containerd gives `delete` five seconds; a little more here, for a busy machine and a tracer. */
#define ACTION_BOUND_MS 10000

struct options {
	Crossarch__Any any; /* points at the bytes */
	uint8_t bytes[700];
};
void options_pack(const struct box *b, struct options *ret);

/*
 * Runs the shim with @action to its end and collects what it prints. With @t its execution is
 * traced from the first instruction; the caller ends that.
 */
MUST_CHECK int action_run(struct box *b, const char *action, struct trace *t, const struct fault *f,
			  struct buf *out, struct err *err);
