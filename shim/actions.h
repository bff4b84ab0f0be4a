/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/err.h"
#include "shim/args.h"

/*
 * What the shim binary does, one function per action. All return 0 or -1 with @err. `start` and
 * `delete` fill in what the command line @a leaves out: by standard input, by the bundle's path.
 */

/* `start`: prints the address of a shim for this container, starting one if none serves its pod. */
MUST_CHECK int action_start(struct args *a, struct err *err);

/* `delete`: ends and removes what a container left; prints a DeleteResponse. Never fails else. */
MUST_CHECK int action_delete(struct args *a, struct err *err);

/* -info: prints a RuntimeInfo with the engine's features. */
MUST_CHECK int action_info(const struct args *a, struct err *err);
