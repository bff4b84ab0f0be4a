/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tests/tools/faults/faults.h"

/* An OCI process that runs @words (no quoting: they hold nothing that JSON would mind). */
MUST_CHECK int spec_process(const char *const *words, bool terminal, struct buf *b,
			    struct err *err);

/* The directory that containerd would make for @box. */
MUST_CHECK int bundle_make(const struct box *box, const char *const *words, struct err *err);
void bundle_remove(const char *path);
