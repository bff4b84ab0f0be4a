/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* libseccomp's number for the specification's "SCMP_ARCH_X86_64" and the like; 0 for other text. */
uint32_t seccomp_arch_token(const char *name);
