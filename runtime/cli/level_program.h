/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/err.h"

/*
 * A built-in program of amd64 that finds out which x86-64 level its processor has, as glibc's
 * loader does (x86-64 psABI, "Micro-Architecture Levels"; sysdeps/x86/get-isa-level.h), and exits
 * with LEVEL_STATUS + 1 to LEVEL_STATUS + 4. What emulators exit with when they fail is far from
 * these.
 */
#define LEVEL_STATUS 64

/* The program, open as by trial_file(). */
MUST_CHECK int level_program_open(int *ret_fd, struct err *err);
