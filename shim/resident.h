/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/err.h"
#include "runtime/prepare/request.h"
#include "shim/args.h"
#include "shim/paths.h"

/*
 * The process that stays and serves its pod: a fork of `start`. It does not execute the program
 * again, because that would cost more than all the rest of `start` (the C library asks the
 * processor for its features, and under a hypervisor each such question is a trap).
 */
struct resident {
	const struct args *args;
	const struct paths *paths;
	const struct prepare_request *options; /* the runtime options, none set without */
	const char *socket_path;
	const char *events; /* containerd's socket for them, "" for none */
	const char *home;   /* context.h */
};

/*
 * Forks it with the listening socket @listener; the caller keeps its own descriptor. Later errors
 * are in containerd's log only.
 */
MUST_CHECK int resident_start(const struct resident *r, int listener, pid_t *ret_pid,
			      struct err *err);
