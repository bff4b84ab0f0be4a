/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/base/err.h"

/*
 * What registers handlers when the node boots: the files of systemd-binfmt (binfmt.d(5)), and the
 * records of Debian's update-binfmts.
 */
#define BOOT_DIR "/etc/binfmt.d"

/* The file that registers the handler @name, "" when there is none. */
void boot_file_of(const char *name, char *ret, size_t size);

/* The path of our own file for a handler called @name. */
void boot_file_own(const char *name, char *ret, size_t size);

/* Writes our file with @line. *ret_changed: it was not there or different. */
MUST_CHECK int boot_file_write(const char *name, const char *line, bool *ret_changed,
			       struct err *err);

/* Removes our file; *ret_removed tells whether there was one. */
MUST_CHECK int boot_file_remove(const char *name, bool *ret_removed, struct err *err);
