/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/arena.h"
#include "runtime/base/err.h"

/*
 * Our own programs. A program beside the shim is preferred, so that a build tree runs as it is.
 *
 * A pod may live for months. When the package is upgraded or downgraded in that time, other files
 * are renamed to these names. The shim goes on with the programs it was started with: they are
 * opened once and executed through that descriptor.
 */
struct paths {
	const char *self;
	const char *prepare;
	int prepare_fd, cli_fd; /* O_PATH; the caller's, 0: none */
	const char *cli; /* "" when it is not installed: the image's platform stays unknown */
};

/* The names live in @arena. ERR_NOT_FOUND says where crossarch-prepare was looked for. */
MUST_CHECK int paths_find(struct arena *arena, struct paths *ret, struct err *err);
