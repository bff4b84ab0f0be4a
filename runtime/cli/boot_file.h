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

/* Who registers at boot: each reads files of its own. */
enum boot_reader { BOOT_SYSTEMD, BOOT_BINFMT_SUPPORT };

/* Whether this node has it. */
bool boot_reader_is(enum boot_reader r);

/* Whether anything here reads @file, one of those, when the node boots. */
bool boot_file_is_read(const char *file);

/* The path of our own file for a handler called @name. */
void boot_file_own(const char *name, char *ret, size_t size);

/*
 * Where the root is read-only our files are here instead: they outlive what systemd-binfmt does
 * when it is restarted, and not a reboot.
 */
#define RUN_DIR "/run/binfmt.d"

/* Whether BOOT_DIR is on a read-only file system. */
bool boot_dir_is_read_only(void);

/*
 * Writes our file with @line, and its path to @ret: in BOOT_DIR or, where that is read-only, in
 * RUN_DIR.
 */
MUST_CHECK int boot_file_write(const char *name, const char *line, char *ret, size_t size,
			       struct err *err);

/* Removes our file; *ret_removed tells whether there was one. */
MUST_CHECK int boot_file_remove(const char *name, bool *ret_removed, struct err *err);

/* Whether our file says that the handler @name was registered from here, with this interpreter. */
bool boot_file_records(const char *name, const char *interpreter);

/*
 * Calls @each with every handler that our files say was registered from here: its name, and the
 * line that registers it, both terminated. A negative answer ends it and is returned.
 */
int boot_file_each(int (*each)(void *data, const char *name, const char *line), void *data);
