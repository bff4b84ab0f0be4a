/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/archive_file.h"
#include "runtime/cli/temporary.h"

/*
 * Puts the layer in the file @name of @f on top of what is below the directory @root
 * (layer_tree.h), and takes of @room what it needs. ERR_INVALID when the file is damaged or does
 * not hold what @digest says. Forks.
 */
MUST_CHECK int archive_layer_apply(const struct archive_file *f, const char *name,
				   const char *digest, int root, struct room *room,
				   struct err *err);
