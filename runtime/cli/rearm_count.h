/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

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

#define REARMED_MAX 64

struct rearmed_row {
	char name[64];
	uint64_t count;
};

/*
 * Reads what is counted in @file, at most REARMED_MAX rows. A line of another form is passed over;
 * a file that is missing has none.
 */
MUST_CHECK int rearmed_read(const char *file, struct rearmed_row *ret, size_t *ret_n,
			    struct err *err);
