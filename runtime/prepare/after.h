/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/prepare/prepare.h"

/*
 * Looks for what explains that @process ended with p->request.exit_status, and says it in the
 * report: VERDICT_REFUSE with a line, or VERDICT_NATIVE when nothing or more than one thing does.
 */
MUST_CHECK int after_explain(struct prepare *p, const struct spec_process *process,
			     struct err *err);
