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

/* The name by which such a program is known here, which stays valid; NULL when it is none. */
const char *wrapper_name(const char *program);

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

/*
 * The index in @args of the script that a shell was given, as in `bash -e SCRIPT ARGUMENT`; its own
 * arguments follow. 0 without one.
 */
size_t wrapper_shell_script(const char *const *args);

/*
 * True when the shell text @text, @n bytes, goes on to its own arguments: exec "$@". *@ret_by is
 * the name of the one of those programs that it puts in front of them, as in exec gosu USER "$@";
 * NULL without.
 */
bool wrapper_passes_on(const char *text, size_t n, const char **ret_by);

/* True when the shell text @text, @n bytes, sets @variable: NAME=... anywhere in it. */
bool wrapper_sets(const char *text, size_t n, const char *variable);

/* True when the letters of a shell's option, "-eu" or "-Eeo", make it end at the first error. */
bool wrapper_stops_by(const char *option);

/* True when the shell text @text, @n bytes, says so itself: set -e. */
bool wrapper_stops(const char *text, size_t n);
