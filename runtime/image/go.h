/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/image/version.h"

/*
 * Looks in @bytes, which begin at a multiple of 16 in memory, for the build information that Go's
 * linker puts into every program (Go, debug/buildinfo). Its version is 0.0.0 before Go 1.18, which
 * wrote it elsewhere, and for versions that are no release.
 */
bool go_version_find(const void *bytes, size_t n, struct version *ret);

/* The same over the data segment of the file @fd: @n bytes at @at. */
bool go_version_of_file(int fd, uint64_t at, uint64_t n, struct version *ret);
