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

/*
 * Makes an ELF file of the @n bytes of machine code at @file, with @flags as e_flags where they are
 * not those of the table's row. There must be room for TRIAL_HEADERS bytes more. Its size.
 */
#define TRIAL_HEADERS 120
size_t trial_wrap(const struct arch *a, uint32_t flags, uint8_t *file, size_t n);

/*
 * A program in a file in memory, open for reading only (one that is open for writing cannot be
 * executed).
 */
MUST_CHECK int trial_file(const uint8_t *bytes, size_t n, int *ret_fd, struct err *err);

/* Writes the program for @a; 0 when there is none for that architecture. */
size_t trial_build(const struct arch *a, uint8_t ret[TRIAL_MAX]);

/* The same by trial_file(). ERR_UNSUPPORTED when there is none for @a. */
MUST_CHECK int trial_open(const struct arch *a, int *ret_fd, struct err *err);
