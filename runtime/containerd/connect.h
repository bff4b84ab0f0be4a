/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/err.h"

/*
 * Connects a stream socket to the unix socket at @path ("unix://" in front allowed) within
 * @timeout_ms, 0 for ever. The time counts when the server's queue of connections is full.
 * ERR_NOT_FOUND without such a socket, ERR_TIMEOUT, else ERR_IO. The caller owns the descriptor.
 */
MUST_CHECK int unix_connect(const char *path, unsigned int timeout_ms, int *ret_fd,
			    struct err *err);
