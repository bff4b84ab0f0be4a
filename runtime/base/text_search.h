/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * Whether the bytes of @text occur in the regular file @path. A file that cannot be read has none.
 * At most 64 bytes of text; the file is read in pieces and nothing of it is kept.
 */
bool file_mentions(const char *path, const char *text);
