/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/arch/table.h"
#include "runtime/base/err.h"

/*
 * The built-in program by which an emulator is tried out: a static ELF file of about a hundred
 * bytes that adds TRIAL_STATUS - 1 to its number of arguments and exits with the sum. Started by
 * its name alone it therefore ends with TRIAL_STATUS; one more means that whoever started it does
 * not keep to the convention for argv[0] that it was registered with (binfmt_misc's flag P).
 */
#define TRIAL_STATUS 42
#define TRIAL_MAX 256

/* Writes the program for @a; 0 when there is none for that architecture. */
size_t trial_build(const struct arch *a, uint8_t ret[TRIAL_MAX]);

/*
 * The program in a file in memory, open for reading only (one that is open for writing cannot be
 * executed). ERR_UNSUPPORTED when there is none for @a.
 */
MUST_CHECK int trial_open(const struct arch *a, int *ret_fd, struct err *err);
