/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "runtime/base/buf.h"
#include "runtime/base/err.h"

/* Copies of a file as it was, beside it, with the time in their names. */
#define CONFIG_BACKUP ".before-crossarch-"

/* Keeps @text, the contents of the file at @path, with its mode; *@ret is the name of the copy. */
MUST_CHECK int config_backup_keep(const char *path, mode_t mode, const struct buf *text, char *ret,
				  size_t size, struct err *err);

/* Whether the copy @old stands for the file's present contents; 0: no, else how well it does. */
typedef int config_backup_judge(const void *ctx, const struct buf *old);

/*
 * The best that @judge says of any copy of the file at @path. With @drop those that it does not say
 * 0 of are removed.
 */
int config_backup_best(const char *path, config_backup_judge *judge, const void *ctx, bool drop);

/* Removes the copies whose contents are @text; true when there were any. */
bool config_backup_drop(const char *path, const struct buf *text);
