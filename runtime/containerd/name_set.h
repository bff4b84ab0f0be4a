/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/base/arena.h"
#include "runtime/base/err.h"

/*
 * Names that are asked for one after the other, once all of them are known. All-zero but for the
 * arena is an empty set; the names stay those that were added.
 */
struct name_set {
	struct arena *arena;
	const char **names;
	size_t n, cap;
};

MUST_CHECK int name_set_add(struct name_set *s, const char *name, struct err *err);

/* After the last one was added. */
void name_set_sort(struct name_set *s);

bool name_set_has(const struct name_set *s, const char *name);
