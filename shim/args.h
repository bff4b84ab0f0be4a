/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/arena.h"
#include "runtime/base/err.h"

/* The command line containerd uses (shim/README.md, Starting), in the syntax of Go's flag package.
 */
struct args {
	const char *namespace, *id, *address, *publish_binary, *bundle, *socket, *debug_socket;
	bool debug, info, version;
	const char *action; /* "" when there is none */
	char **argv;	    /* where all of this comes from */
};

/*
 * Whether what `start` and `delete` cannot do without has come, in the command line or otherwise;
 * sets the level of the log, too. ERR_INVALID says what is missing or no identifier.
 */
MUST_CHECK int args_check(const struct args *a, struct err *err);

/* ERR_INVALID names the flag that is unknown or lacks its value. Strings point into @argv. */
MUST_CHECK int args_parse(int argc, char **argv, struct args *ret, struct err *err);

/* @ret is @a with strings of its own, which live in @arena. */
MUST_CHECK int args_copy(const struct args *a, struct arena *arena, struct args *ret,
			 struct err *err);
