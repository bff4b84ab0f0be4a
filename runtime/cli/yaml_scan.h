/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/base/err.h"

/*
 * A walk over YAML (or JSON) that says where each value stands in the text, so that single ones can
 * be replaced and all else stays as it is: comments, order, quotes. libyaml reads; aliases, and
 * keys that are no scalars, are refused with the line.
 */
#define YAML_DEPTH 64

struct yaml_frame {
	const char
		*key; /* of a mapping, not terminated, without quotes; NULL: an entry of a list */
	size_t n;
};

struct yaml_scalar {
	size_t start, end; /* bytes of the text, without quotes */
	size_t line;	   /* from 1 */
	bool simple;	   /* one line, nothing escaped: the bytes are the value */
};

/* Called for each value that is a scalar; @path leads to it, outermost first. -1 ends the walk. */
typedef int yaml_on_scalar(void *ctx, const struct yaml_frame *path, size_t depth,
			   const struct yaml_scalar *scalar, struct err *err);

/* ERR_INVALID for what is no YAML, ERR_UNSUPPORTED for what is not understood, ERR_LIMIT beyond
 * YAML_DEPTH. */
MUST_CHECK int yaml_scan(const char *text, size_t n, yaml_on_scalar *on_scalar, void *ctx,
			 struct err *err);

/* Whether the frame is the key @key of a mapping. */
bool yaml_is_key(const struct yaml_frame *frame, const char *key);
