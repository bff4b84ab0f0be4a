/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/base/err.h"

/*
 * The shim's socket (shim-protocol 1.10, 2): one per pod, named by the SHA-256 of containerd's
 * address, namespace and grouping key, so that every `start` of a pod finds the same one. Our name
 * is hashed behind them, which containerd's own SocketAddress() does not do: two containers of one
 * group, one of them the stock shim's, must not find each other's shim. It stays as it is: a pod
 * that outlives an upgrade has its socket under this name.
 */
#define SOCKET_DIR "/run/containerd/s"
#define SOCKET_PATH_MAX 107 /* usable bytes of sockaddr_un */

/* Fills @ret. ERR_INVALID when the path would not fit. */
MUST_CHECK int socket_path(const char *dir, const char *address, const char *ns, const char *key,
			   char ret[SOCKET_PATH_MAX + 1], struct err *err);

enum socket_state { SOCKET_DEAD, SOCKET_ALIVE, SOCKET_UNKNOWN };

/*
 * Whether somebody listens at @path; a full backlog counts as listening. SOCKET_UNKNOWN, with
 * errno, when that could not be asked, for lack of memory or descriptors: no proof that nobody
 * does.
 */
enum socket_state socket_state(const char *path);

/*
 * The same by asking: who is being killed still listens for a moment, and never answers. Waits for
 * an answer of whoever listens @bound_ms at most; SOCKET_UNKNOWN when there is none and the
 * connection stays, as with a shim that is stopped.
 */
enum socket_state socket_ask(const char *path, int bound_ms);

/*
 * Listens at @path, replacing a socket nobody listens at. *ret_fd is the listening socket, or -1
 * when a live shim serves there already. Two `start`s at once are serialised by a lock on the
 * directory.
 */
MUST_CHECK int socket_listen(const char *path, int *ret_fd, struct err *err);

/* Removes @path if it is a socket nobody listens at, now or a moment after this is asked. */
void socket_remove_stale(const char *path);
