/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "runtime/arch/platform.h"

/* What `crossarch image-platform` writes: at most this many bytes are looked at. */
#define DECLARED_MAX 4096

/* Reads its lines, "platform=os/arch[/variant]"; unknown keys and garbage are skipped. */
void declared_parse(const char *text, struct platform *ret);

/*
 * Reads the pipe @fd until its end, or until @deadline_ns of the monotonic clock (0: only what is
 * there already). No answer, a late one and garbage all leave @ret unknown.
 */
void declared_read(int fd, uint64_t deadline_ns, struct platform *ret);

/* The monotonic clock in nanoseconds. */
uint64_t declared_now(void);
