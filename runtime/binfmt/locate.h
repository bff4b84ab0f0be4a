/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Where the emulators of a node are, by file name alone: no file is opened. */

/* qemu's emulator of the target @qemu ("aarch64") in the usual places. */
bool locate_usual(const char *qemu, char *ret, size_t size);

/* The same in the directory @dir. */
bool locate_in(const char *dir, const char *qemu, char *ret, size_t size);
