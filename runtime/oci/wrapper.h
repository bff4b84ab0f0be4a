/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Programs that prepare something and then become, or start, the command in their arguments: inits
 * for containers, changers of users, env. Pure: arguments in, an index out.
 */

/*
 * The index in @args of the command that args[0] starts; 0 when it is no such program, or when its
 * options leave any doubt which argument that is.
 */
size_t wrapper_command(const char *const *args);

/*
 * True when a program of this name may end with @status because the command could not be executed.
 * The C library's execvp() has /bin/sh read what the kernel does not run, so several may.
 */
bool wrapper_fails_with(const char *program, uint64_t status);

/*
 * The text that `sh -c TEXT` runs, with other letters around the c as in -ec; NULL without.
 * @ret_rest is the index of the arguments behind it: "$0" and then "$@".
 */
const char *wrapper_shell_text(const char *const *args, size_t *ret_rest);

/* True when the shell text @text, @n bytes, goes on to its own arguments: exec "$@". */
bool wrapper_passes_on(const char *text, size_t n);
