/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/buf.h"
#include "runtime/cli/containerd_config.h"

/*
 * The line of a configuration file that says which handler pods get that name none. Where there is
 * one, it stays beside ours as a comment, so that it can be put back byte for byte.
 */

/* The text @file, in the notation of @version, with the handler @name as the default one. */
MUST_CHECK int default_runtime_set(const char *file, unsigned int version, const char *name,
				   struct buf *out, struct err *err);

/* Whether default_runtime_set() made it so, and nobody has changed that since. */
bool default_runtime_is_set(const char *file);

/* Whether it is in a table that came with it, and so would be a second one if there were another.
 */
bool default_runtime_has_table(const char *file);

/* The text @file without that; as it is when it was not so. */
MUST_CHECK int default_runtime_unset(const char *file, struct buf *out, struct err *err);
