/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/*
 * A line of logfmt, as containerd writes it: KEY=VALUE, one space between them. A value that is not
 * only letters, digits and -._/@^+ is in double quotes. In quotes nothing is as it is but what a
 * person can see: the rest is written as in JSON (\" \\ \n \t \r \u001b), which Go's own unquoting
 * reads too, and a byte that is part of no character as \ufffd. So whoever wrote a value cannot end
 * it, or begin a line.
 */
struct logfmt {
	char *s; /* not terminated */
	size_t size, n;
};

/* Adds a field whose value is written in at most @max bytes, quotes included. What is longer is cut
 * behind a whole character and ends in "...". NULL and "" are left away, and so is a field for
 * which there is no room. */
void logfmt_add(struct logfmt *l, const char *key, const char *value, size_t max);
