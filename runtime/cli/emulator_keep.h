/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/cli/emulators.h"

/*
 * Emulators that stay. A stop of systemd-binfmt takes away every handler of the node, whoever
 * registered it, and so does the last unmount of binfmt_misc; nothing tells those who rely on them.
 */

/* Whether "emulators install" made anything on this node. */
bool emulators_keep_any(void);

/*
 * Registers again what "emulators install" made and what is gone, with a line for each on standard
 * output, and counts it (rearm_count.h). One that is there but switched off stays so. When one of
 * them cannot be registered the others are, and @err has the first one's reason.
 */
MUST_CHECK int emulators_keep(const struct node *n, struct err *err);
