/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/err.h"

/*
 * Gives up all privileges, and lets nobody look into this process that may not trace any other. The
 * namespaces stay as long as it lives.
 */
MUST_CHECK int idle_drop_privileges(struct err *err);

/* Reaps what is left to this process, until SIGTERM, SIGINT or SIGKILL. */
_Noreturn void idle(void);
