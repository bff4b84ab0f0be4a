/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/err.h"
#include "runtime/prepare/request.h"
#include "shim/args.h"
#include "shim/paths.h"

/*
 * The process that stays: a fork of `start` that serves its pod. It is not executed anew, because
 * every start of a program costs more than all that `start` has to do (the C library asks the
 * processor for its features, and under a hypervisor each question is a trap).
 */
struct resident {
	const struct args *args;
	const struct paths *paths;
	const struct prepare_request *options; /* the runtime options, none set without */
	const char *socket_path;
};

/*
 * Forks it with the listening socket @listener, which stays the caller's too. What goes wrong later
 * is in containerd's log.
 */
MUST_CHECK int resident_start(const struct resident *r, int listener, pid_t *ret_pid,
			      struct err *err);
