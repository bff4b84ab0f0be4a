/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/arch/table.h"
#include "runtime/base/err.h"
#include "runtime/binfmt/rule.h"

/* Making and removing handlers. @dirfd is an instance as binfmt_open() gives it. */

/* Gives the line to the kernel. ERR_EXISTS for a name that is taken. */
MUST_CHECK int register_handler(int dirfd, const char *line, struct err *err);

/* Removes the handler @name; *ret_removed is false when there is none. */
MUST_CHECK int unregister_handler(int dirfd, const char *name, bool *ret_removed, struct err *err);

/*
 * Mounts binfmt_misc where the node's programs see it: in the mount namespace of process 1, unless
 * we live in another user namespace, which has an instance of its own. *ret_mounted is false when
 * it was mounted there already.
 */
MUST_CHECK int binfmt_mount(bool *ret_mounted, struct err *err);

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

/* Writes our file with @line. *ret_changed: it was not there or different. */
MUST_CHECK int boot_file_write(const char *name, const char *line, bool *ret_changed,
			       struct err *err);

/* Removes our file; *ret_removed tells whether there was one. */
MUST_CHECK int boot_file_remove(const char *name, bool *ret_removed, struct err *err);
