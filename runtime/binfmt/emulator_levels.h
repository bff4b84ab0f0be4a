/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>
#include <sys/stat.h>

#include "runtime/base/buf.h"
#include "runtime/base/err.h"

/*
 * Which x86-64 level emulators offer, as they said when they were asked: each answer is a line
 *
 *   DEVICE INODE CHANGED LEVEL =MODEL
 *
 * The first three, in decimal, tell the emulator's file from any other, and from what it was before
 * it was replaced; the time is in nanoseconds. LEVEL is 1 to 4. MODEL is the one that was asked
 * about, empty for what the emulator takes by itself. What does not look like this is passed over.
 */
#define LEVELS_FILE "/run/crossarch/cpu-levels"
#define LEVELS_MAX_BYTES 8192
#define LEVELS_MODEL_MAX 63 /* bytes; answers for longer ones are not kept */

/*
 * The text of the file @path. Empty when there is none, and when somebody else than root could have
 * written it. @ret has room for LEVELS_MAX_BYTES.
 */
void levels_read(const char *path, struct buf *ret);

/* The level in @text of the emulator's file with @st and @model; 0 when there is no such line. */
unsigned int levels_find(const char *text, const struct stat *st, const char *model);

/*
 * Writes @text with a line for this answer to @ret, which is empty: the newest lines, as many as
 * there is room for. ERR_INVALID for a model that cannot be in a line, ERR_NOMEM.
 */
MUST_CHECK int levels_add(const char *text, const struct stat *st, const char *model,
			  unsigned int level, struct buf *ret, struct err *err);
