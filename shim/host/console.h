/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/base/err.h"

/*
 * The engine's --console-socket (runc, docs/terminals.md, "detached"): the engine connects, sends
 * the terminal's master as one SCM_RIGHTS descriptor and goes on without an answer. The kernel
 * queues all of that on the listening socket, so nobody has to accept before the engine has ended.
 */

/*
 * Listens on a new socket @name in the directory @dir that only root may connect to. A shim that is
 * killed leaves it there, and whoever removes the directory takes it along. Returns the descriptor
 * through @ret_fd.
 */
MUST_CHECK int console_listen(const char *dir, const char *name, int *ret_fd, struct err *err);

/* Takes the master from the queue, non-blocking. ERR_ENGINE when the engine sent none. */
MUST_CHECK int console_receive(int listen_fd, int *ret_master, struct err *err);

/* Closes the socket and removes it; @name becomes "". Idempotent. */
void console_close(const char *dir, char *name, int *listen_fd);
