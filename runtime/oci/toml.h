/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "runtime/base/err.h"

/*
 * The one kind of TOML that containerd sends, in ConfigBody of the runtime options: an options
 * table as flat `key = value` lines, with strings in either quotes, booleans and integers.
 * Everything else of the language is refused, and the error says what.
 */
enum toml_kind { TOML_TEXT, TOML_BOOL, TOML_INT };

struct toml_value {
	enum toml_kind kind;
	char key[64];
	char text[512]; /* TOML_TEXT: contents; otherwise as written */
	int64_t number; /* TOML_INT; TOML_BOOL: 0 or 1 */
};

/*
 * Reads the next assignment of *@at and moves it on; 1 when there was one, 0 at the end, -1 with
 * ERR_INVALID.
 */
MUST_CHECK int toml_next(const char **at, struct toml_value *ret, struct err *err);
