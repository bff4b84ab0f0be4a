/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/arch/table.h"
#include "runtime/base/err.h"

/*
 * Runs the built-in program for @a the way any program is run, and tells what came of it. @why is
 * "" when it worked. ERR_UNSUPPORTED when there is no such program.
 */
MUST_CHECK int trial_run(const struct arch *a, char *why, size_t size, struct err *err);

/*
 * The same where a container's programs run: in a root file system without any file of the node,
 * which shows whether the emulator needs libraries, settings or another program beside itself.
 * ERR_UNSUPPORTED also where we must not make such a root (it takes the rights to mount).
 */
MUST_CHECK int trial_run_contained(const struct arch *a, char *why, size_t size, struct err *err);
