/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "proto/any.pb-c.h"
#include "runtime/base/arena.h"
#include "runtime/base/err.h"

/* What `start` learns from standard input (shim/README.md, Starting). */
struct bootstrap {
	Crossarch__Any *options; /* runtime options, NULL when there are none */
	const char *socket_dir;	 /* "" for the default */
};

/*
 * Decodes standard input: BootstrapParams (from containerd 2.3 on), a bare Any (before), or
 * nothing. Each of the two encodings can be decoded as the other one too; BootstrapParams is
 * recognised by the addresses it always carries. Of its extensions the first one with runtime
 * options counts; others are for other shims.
 * Results live in @arena.
 */
MUST_CHECK int bootstrap_decode(const void *bytes, size_t n, struct arena *arena,
				struct bootstrap *ret, struct err *err);

/* Reads @fd to its end (at most 10 MiB) and decodes it. */
MUST_CHECK int bootstrap_read(int fd, struct arena *arena, struct bootstrap *ret, struct err *err);
