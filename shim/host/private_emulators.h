/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * Removing private emulators (runtime/prepare/report.h says where they are). The caller could do
 * nothing about a failure, so there is none to handle: what could not be removed is logged, and a
 * later sweep tries again.
 */

/* True when some container of this node has any. */
bool private_emulators_any(void);

/* The container of @bundle is gone. The last one of its user namespace takes the instance along. */
void private_emulators_release(const char *bundle);

/*
 * Does so for all containers whose bundle does not exist any more. Does not wait for the lock: the
 * pod that is about to start goes on without a sweep if another process has it.
 */
void private_emulators_sweep(void);
