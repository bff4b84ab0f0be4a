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
 * Listens on a socket in a new directory only we may enter, below $XDG_RUNTIME_DIR, /run or /tmp.
 * @ret_path of @size bytes gets its path. Returns the descriptor through @ret_fd.
 */
MUST_CHECK int console_listen(char *ret_path, size_t size, int *ret_fd, struct err *err);

/* Takes the master from the queue, non-blocking. ERR_ENGINE when the engine sent none. */
MUST_CHECK int console_receive(int listen_fd, int *ret_master, struct err *err);

/* Closes the socket and removes it with its directory; @path becomes "". Idempotent. */
void console_close(char *path, int *listen_fd);
