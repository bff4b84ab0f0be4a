/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/prepare/report.h"
#include "shim/task/operation.h"

/*
 * What became of a container is counted for `crossarch metrics` (runtime/base/outcomes.h), and
 * logged. What runs natively is worth a line at level debug only, and so are execs that run: there
 * is one a second for each probe, and nothing of them is counted.
 */

/* The check is over: logs that the program of @r will run, and the warnings. */
void outcome_found(const struct operation *op, const struct report *r);

/* Logs the warnings alone. */
void outcome_warnings(const struct operation *op, const struct report *r);

/* Create succeeded: native or emulated; @platform as in the report. */
void outcome_runs(const struct task *t, const char *platform);

/*
 * @line is the whole diagnosis, "crossarch[CODE]: ..."; @r has what else is known of the program,
 * NULL when nothing is.
 */
void outcome_refused(const struct operation *op, const char *line, const struct report *r);

/* The check could not tell, because of @why. */
void outcome_unknown(const struct operation *op, const struct err *why);

/* The end of a process was explained: @r has the diagnosis. Of a container's first it is counted.
 */
void outcome_crashed(const struct process *p, const struct report *r);
