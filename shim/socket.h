/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/base/err.h"

/*
 * The shim's socket: one per pod, named by the SHA-256 of containerd's address, the namespace, the
 * grouping key and our own name, so that every `start` of a pod finds the same one. Our name is
 * what containerd's own SocketAddress() (pkg/shim/util_unix.go) does not have: of two containers of
 * one group, one with the stock shim and one with ours, neither must find the other's shim. How the
 * name is made cannot change any more: a pod that outlives an upgrade has its socket under it.
 */
#define SOCKET_DIR "/run/containerd/s"
#define SOCKET_PATH_MAX 107 /* usable bytes of sockaddr_un */

/* Fills @ret. ERR_INVALID when the path would not fit. */
MUST_CHECK int socket_path(const char *dir, const char *address, const char *ns, const char *key,
			   char ret[SOCKET_PATH_MAX + 1], struct err *err);

enum socket_state { SOCKET_DEAD, SOCKET_ALIVE, SOCKET_UNKNOWN };

/*
 * Whether somebody listens at @path; a full backlog counts as listening. SOCKET_UNKNOWN, with
 * errno, when there was no memory or descriptor to find out: somebody may listen.
 */
enum socket_state socket_state(const char *path);

/*
 * The same by sending a request, because a process that is being killed still listens for a moment
 * but never answers. Waits at most @bound_ms for the answer. SOCKET_UNKNOWN when none comes and the
 * connection stays open, as with a shim that was stopped by a signal.
 */
enum socket_state socket_ask(const char *path, int bound_ms);

/*
 * Listens at @path, replacing a socket nobody listens at. *ret_fd is the listening socket, or -1
 * when a live shim serves there already. Two `start`s at once are serialised by a lock on the
 * directory.
 */
MUST_CHECK int socket_listen(const char *path, int *ret_fd, struct err *err);

/* Removes @path if it is a socket at which nobody listens, now or a moment later. */
void socket_remove_stale(const char *path);
