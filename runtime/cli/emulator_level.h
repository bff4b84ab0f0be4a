/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/err.h"

/*
 * The x86-64 level (1 to 4) of the processor that the qemu-user at @path, one of amd64, imitates
 * with @model, "" for what it takes by itself; 0 when it does not say. It is asked once: the answer
 * is in @file (an absolute path, LEVELS_FILE but for tests) from then on, where we may write there.
 * ERR_IO, ERR_NOMEM when it cannot be run.
 */
MUST_CHECK int emulator_level(const char *file, const char *path, const char *model,
			      unsigned int *ret, struct err *err);
