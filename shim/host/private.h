/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * The end of private emulators (runtime/prepare/report.h says where they are). Nothing here can
 * fail in a way its caller could do something about: what stays is logged, and swept later.
 */

/* True when some container of this node has any. */
bool private_any(void);

/* The container of @bundle is gone; with the last one of its user namespace the instance goes. */
void private_release(const char *bundle);

/*
 * Does so for all containers whose bundle is not there any more. Waits for nobody: while somebody
 * else has the lock, however long, the pod that is to start goes on without it.
 */
void private_sweep(void);
