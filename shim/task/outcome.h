/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/prepare/report.h"
#include "shim/task/operation.h"

/*
 * What became of a container is counted for `crossarch metrics` (runtime/base/outcomes.h), and a
 * refusal logged. Of execs only refusals are logged, nothing is counted: there is one a second for
 * each probe.
 */

/* Create succeeded: native or emulated; @platform as in the report. */
void outcome_runs(const struct task *t, const char *platform);

/* @line is the whole diagnosis, "crossarch[CODE]: ..."; @platform may be "". */
void outcome_refused(const struct operation *op, const char *line, const char *platform);

/* Create failed because prepare could not tell. */
void outcome_unknown(const struct operation *op);

/* The end of a container's first process was explained: @r has the diagnosis. */
void outcome_crashed(const struct task *t, const struct report *r);
