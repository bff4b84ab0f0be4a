/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/base/err.h"
#include "runtime/binfmt/emulator_kind.h"
#include "runtime/host/host.h"

/* The file that would be registered: found, and looked at and tried without the kernel's help. */

/*
 * Finds an interpreter of kind @k for @a: in @path (a file or directory), or in the usual places
 * when NULL.
 */
MUST_CHECK int interpreter_find(const struct emulator_kind *k, const struct arch *a,
				const char *path, char *ret, size_t size, struct err *err);

/*
 * ERR_PRECONDITION with the reason when @path, of kind @k, cannot serve as an interpreter for @a
 * here.
 */
MUST_CHECK int interpreter_check(const struct host *host, const struct emulator_kind *k,
				 const struct arch *a, const char *path, struct err *err);
