/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/binfmt/emulator_kind.h"

/* Where the emulators of a node are, by file name alone: no file is opened. */

/* qemu's emulator of the target @qemu ("aarch64") in the usual places. */
bool locate_usual(const char *qemu, char *ret, size_t size);

/*
 * The emulator of kind @k for programs of @a: in the directory @dir, or in the usual places when
 * NULL. False as well for a kind without names of files.
 */
bool locate_kind(const struct emulator_kind *k, const struct arch *a, const char *dir, char *ret,
		 size_t size);
