/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

/*
 * True when nobody but root, or the user we run as, can change what is described by @st: for files
 * that decide what is executed. In a user namespace that has no name for root outside, what belongs
 * to nobody counts as root's.
 */
bool owner_is_trusted(const struct stat *st);
