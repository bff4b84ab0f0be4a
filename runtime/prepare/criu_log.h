/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/* Beside an engine's message it has to fit into one error. */
#define CRIU_ERRORS_MAX 400

/*
 * The last errors in a log of criu, each once, in their order, with "; " between them: the lines
 * "(00.043640) Error (criu/net.c:3436): net: Locking network failed", without what is in front of
 * the message. criu goes on after an error, undoes what it did and ends with a summary, so that no
 * single line is the one that matters. False when there is none.
 */
bool criu_log_errors(const char *text, char ret[CRIU_ERRORS_MAX]);
