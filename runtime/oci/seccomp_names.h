/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/* Names of system calls that matter when a guest's profile filters its emulator. All static. */

/* A guest's call and what the emulator makes of it on the node, when that is another call. */
struct seccomp_alias {
	const char *guest;
	const char *node[14]; /* NULL-terminated */
};

const struct seccomp_alias *seccomp_aliases(size_t *ret_n);

/* What an emulator needs for itself, whatever the guest does. NULL-terminated. */
const char *const *seccomp_baseline(void);

/* Those of them without which no build of it, with any C library, gets to its first guest code. */
const char *const *seccomp_vital(void);
