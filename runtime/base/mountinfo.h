/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/* One line of /proc/PID/mountinfo (proc(5)); everything points into that line. */
struct mountinfo {
	const char *device;  /* "major:minor" */
	const char *root;    /* what part of the file system is mounted */
	const char *point;   /* where */
	const char *type;    /* of the file system */
	const char *options; /* of the file system, joined with commas: v1 cgroup controllers */
};

/*
 * Takes @line apart in place, without its newline; the kernel's octal escapes are undone in root
 * and point. False when it is not such a line.
 */
bool mountinfo_parse(char *line, struct mountinfo *ret);

/* What follows @dir in @path: "" when equal, "/..." when below it, NULL otherwise. */
const char *path_below(const char *path, const char *dir);
