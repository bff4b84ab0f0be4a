/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "runtime/arch/table.h"
#include "runtime/base/err.h"

/*
 * The settings of a handler for one platform: a file of its own, ARCH.json beside the node's
 * config.json. A shim reads one file, so this one begins with the keys of the node's, and
 * "platform" is added.
 */
#define HANDLER_SETTINGS_DIR CROSSARCH_SYSCONFDIR "/crossarch"

/* "/etc/crossarch/arm64.json". ERR_INVALID when @dir is too long, or cannot stand in TOML. */
MUST_CHECK int handler_settings_path_of(const char *dir, const struct arch *a, char *ret,
					size_t size, struct err *err);

/*
 * Makes the file @path, *ret_made true; one that is there stays as it is, but ERR_PRECONDITION when
 * it does not choose the platform of @a.
 */
MUST_CHECK int handler_settings_write(const char *path, const struct arch *a, bool *ret_made,
				      struct err *err);

/* Removes @path if it is what handler_settings_write() would make now, else *ret_left is true. */
MUST_CHECK int handler_settings_remove(const char *path, const struct arch *a, bool *ret_left,
				       struct err *err);

/*
 * In which keys, apart from the platform, @path differs from the node's file beside it: "a, b" into
 * @ret, "" when there are none or a file cannot be read.
 */
void handler_settings_differ(const char *path, char *ret, size_t size);
