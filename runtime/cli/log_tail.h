/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * The last line in the end of a container's log, as CRI writes it, that says the kernel would not
 * execute something; without CRI's own words in front and safe to print. False when there is none.
 */
bool log_tail_complaint(const char *path, char *ret, size_t size);

/* Whether @text has such words. */
bool is_exec_complaint(const char *text);
