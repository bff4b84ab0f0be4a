/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/buf.h"
#include "runtime/cli/containerd_config.h"

/* The lines for a handler of ours in a file of containerd's, and how they are found again. */

/* The entry for runc that containerd has by itself, written down. */
MUST_CHECK int handler_text_runc(const char *table, bool systemd_cgroup, struct buf *out,
				 struct err *err);

/* The handler @r, below @table (handlers_table()). */
MUST_CHECK int handler_text_own(const char *table, const struct runtime_handler *r, struct buf *out,
				struct err *err);

/*
 * Looks for what "--write" added for the handler @name to the text @file, whose contents are
 * @config: where it begins, and in @ret the text. NULL when it is not there, or not as we write it.
 */
const char *handler_text_find(const char *file, const struct containerd_config *config,
			      const char *name, struct buf *ret);
