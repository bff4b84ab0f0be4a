/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/buf.h"
#include "runtime/cli/emulators.h"

/*
 * What the node has to tell Prometheus, in its text format (version 0.0.4): what became of
 * containers, by the counters in @outcomes (OUTCOMES_FILE); how often an emulator had to be
 * registered again, by the lines "NAME COUNT" of @rearmed; handlers; shims that run and their
 * memory. A file that is missing counts nothing, for nothing happened yet.
 */
MUST_CHECK int metrics_write(const struct node *n, const char *outcomes, const char *rearmed,
			     struct buf *out, struct err *err);
