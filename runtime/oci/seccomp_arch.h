/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "runtime/arch/table.h"

/* libseccomp's number for the specification's "SCMP_ARCH_X86_64" and the like; 0 for other text. */
uint32_t seccomp_arch_token(const char *name);

/* True when @a has a call of that name, or when libseccomp does not know @a. */
bool seccomp_arch_has_call(const struct arch *a, const char *name);
