/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Names of system calls that matter when a guest's profile filters its emulator. All static. */

/* A guest's call and what the emulator makes of it on the node, when that is another call. */
struct seccomp_alias {
	const char *guest;
	const char *node[16]; /* NULL-terminated */
	bool same;	      /* one call with the same arguments in the same places */
};

const struct seccomp_alias *seccomp_aliases(size_t *ret_n);

/*
 * Calls that newer architectures (arm64, riscv64, loong64) went without, and what a C library makes
 * of them there. They count on a node that lacks @call.
 */
struct seccomp_successor {
	const char *call;
	const char *made[3]; /* NULL-terminated */
};

const struct seccomp_successor *seccomp_successors(size_t *ret_n);

/* What an emulator needs for itself, whatever the guest does. NULL-terminated. */
const char *const *seccomp_baseline(void);

/*
 * What every build of an emulator, with any C library, needs before the first code of the guest
 * runs: one of the names of each row. With @when_killed an emulator copes with an error from the
 * call, and only a profile that kills for it is fatal.
 */
struct seccomp_vital {
	const char *names[4]; /* NULL-terminated; the first is what people are told */
	bool when_killed;
};

const struct seccomp_vital *seccomp_vital(size_t *ret_n);
