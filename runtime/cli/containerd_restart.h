/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/distribution.h"

/*
 * Has the node's containerd load its configuration anew: by the command of the distribution, or by
 * waiting where the distribution sees the change itself. Returns when a new containerd's CRI
 * answers on the socket, not the process @before (0: none ran). ERR_IO: the command failed;
 * ERR_TIMEOUT: nobody answers after @patience_s seconds.
 */
MUST_CHECK int containerd_restart(const struct installation *n, pid_t before,
				  unsigned int patience_s, struct err *err);
