/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * The key "imports" of a file of containerd's: further files that it reads, or patterns of their
 * names. Those that do not begin with a slash are below the directory of the file.
 */
struct config_import {
	const char *text; /* in the file, without its quotes */
	size_t n;
};

#define CONFIG_IMPORTS 16

/* Those of the text @file; the array may go over several lines. Returns how many, at most max. */
size_t config_imports(const char *file, struct config_import *ret, size_t max);

/*
 * The directory of the first of them that reads every file *.toml of one, for the text @file at
 * @path; *@ret_import is the one. False when there is none.
 */
bool config_import_directory(const char *file, const char *path, char ret[PATH_MAX],
			     struct config_import *ret_import);
