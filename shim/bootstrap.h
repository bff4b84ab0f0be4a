/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "proto/any.pb-c.h"
#include "runtime/base/arena.h"
#include "runtime/base/err.h"
#include "shim/args.h"

/* What `start` learns from standard input (shim/README.md, Starting). Strings are "" without. */
struct bootstrap {
	Crossarch__Any *options; /* runtime options, NULL when there are none */
	const char *socket_dir;	 /* "" for the default */
	bool params; /* BootstrapParams: containerd 2.3 or later; what follows is of these */
	const char *id, *namespace, *grpc_address, *ttrpc_address, *containerd;
	bool debug;
};

/*
 * Decodes standard input: BootstrapParams (from containerd 2.3 on), a bare Any (before), or
 * nothing. Each of the two encodings can be decoded as the other one too: with the id and namespace
 * of the command line @a, BootstrapParams are those that have the same (as in containerd's
 * pkg/shim/compat.go); without, those that have an address or a version of containerd. Of the
 * extensions the first one with runtime options counts; others are for other shims.
 * Results live in @arena.
 */
MUST_CHECK int bootstrap_decode(const void *bytes, size_t n, const struct args *a,
				struct arena *arena, struct bootstrap *ret, struct err *err);

/* Reads @fd to its end (at most 10 MiB) and decodes it. */
MUST_CHECK int bootstrap_read(int fd, const struct args *a, struct arena *arena,
			      struct bootstrap *ret, struct err *err);

/* What the command line @a leaves out, which is deprecated from 2.3 on, is as standard input says.
 */
void bootstrap_complete(const struct bootstrap *b, struct args *a);

/*
 * Prints the answer of `start`, that the shim serves @address: to who sent BootstrapParams a
 * BootstrapResult, with version 3 (shim/README.md, Starting), to others the plain text that all
 * versions read.
 */
MUST_CHECK int bootstrap_answer(const struct bootstrap *b, const char *address, int fd,
				struct err *err);
