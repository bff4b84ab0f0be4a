/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/buf.h"
#include "runtime/base/err.h"

/*
 * Work on bytes that image authors wrote, in a process that can do nothing else: without
 * capabilities, with a filter of system calls that kills on anything but reading, writing to what
 * is open, and making files below one directory, and under Landlock where the kernel has it.
 * Nothing can be executed, signalled or connected to.
 */
struct confined {
	/* Runs there; what it writes to @out is what the caller gets. */
	int (*run)(void *ctx, int out, struct err *err);
	void *ctx;
	int dir; /* where it may make files; -1: nowhere */
};

/*
 * Forks, so never after a gRPC call. Appends to @ret what was written, up to its maximum; the error
 * is that of the run, or says that it was killed.
 */
MUST_CHECK int confined_run(const struct confined *what, struct buf *ret, struct err *err);
