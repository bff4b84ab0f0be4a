/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/base/err.h"

/*
 * A node whose handler is to refuse and never to emulate: "emulation" in the node's file of
 * settings, config.json in the directory @dir, is "never". What was there before is kept beside it,
 * so that it can be put back.
 */

/* *@ret_changed is false when it was so already; @ret_path is the file. */
MUST_CHECK int node_emulation_never(const char *dir, char *ret_path, size_t size, bool *ret_changed,
				    struct err *err);

/*
 * Puts back what was there, if the file still is what node_emulation_never() made of it; else it
 * stays. *@ret_changed and *@ret_left say which.
 */
MUST_CHECK int node_emulation_undo(const char *dir, char *ret_path, size_t size, bool *ret_changed,
				   bool *ret_left, struct err *err);
