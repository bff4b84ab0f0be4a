/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

/*
 * True when only root, or the user we run as, can change the file that @st describes: for files
 * that decide what is executed. In a user namespace in which the root outside has no id, a file of
 * the overflow user counts as root's.
 */
bool owner_is_trusted(const struct stat *st);
