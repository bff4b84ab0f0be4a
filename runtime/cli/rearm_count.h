/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/err.h"

/*
 * How often handlers had to be registered again since the node started, for whoever watches it:
 * one line "NAME COUNT" for each handler, such as "crossarch-arm64 3", in no particular order. The
 * file is replaced as a whole, so that a reader never sees half of it; it is missing while nothing
 * was registered again.
 */
#define REARMED_FILE "/run/crossarch/rearmed"

/* Counts one more for the handler @name; *ret is its count now. ERR_IO when the file cannot be
 * kept. */
MUST_CHECK int rearm_count(const char *name, unsigned int *ret, struct err *err);
