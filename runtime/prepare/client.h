/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <limits.h>
#include <stddef.h>

#include "runtime/base/err.h"
#include "runtime/base/spawn.h"
#include "runtime/prepare/report.h"
#include "runtime/prepare/request.h"

/* How crossarch-prepare is asked: its mode is its only argument, all the rest are descriptors. */
enum {
	FD_REPORT = 3,	 /* where it writes, a pipe or a socket */
	FD_BUNDLE = 4,	 /* mode engine-error: the engine's log file */
	FD_REQUEST = 5,	 /* mode engine-error: a pipe with the engine's words, if there is one */
	FD_PLATFORM = 6, /* mode engine-error: criu's log, if there is one */
	PREPARE_FDS_MAX = 5, /* with standard error */
};

/* The descriptors of one question; they stay the caller's. -1 leaves one out. */
struct prepare_fds {
	int report, bundle, request, platform;
	int log; /* its standard error; -1: /dev/null */
};

/* Fills @map as spawn() takes it. How many there are. */
size_t prepare_map(const struct prepare_fds *fds, struct spawn_fd map[PREPARE_FDS_MAX]);

/*
 * Where prepare is: beside the program that asks, or where it was installed. ERR_NOT_FOUND when it
 * is in neither place.
 */
MUST_CHECK int prepare_find(char ret[PATH_MAX], struct err *err);

/*
 * Runs the prepare of @path in @mode and waits for its last report; fds->report is not looked at.
 * It is killed with the calling thread. ERR_IO when it ends without a report; what it could not do
 * is in ret->err.
 */
MUST_CHECK int prepare_ask(const char *path, const char *mode, const struct prepare_fds *fds,
			   struct report *ret, struct err *err);

/*
 * Mode settings: what the node's configuration file and the runtime options in @r come to, formats
 * that the shim itself never parses. A refusal is ERR_PRECONDITION with its line.
 */
MUST_CHECK int prepare_settings(const char *path, const struct prepare_request *r,
				struct report *ret, struct err *err);
