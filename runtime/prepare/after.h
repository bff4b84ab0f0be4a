/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/prepare/prepare.h"

/*
 * Looks for the cause of @process ending with p->request.exit_status. The report gets it as
 * VERDICT_REFUSE with a line, or VERDICT_NATIVE when there is no cause to be seen or more than one.
 */
MUST_CHECK int after_explain(struct prepare *p, const struct spec_process *process,
			     struct err *err);
