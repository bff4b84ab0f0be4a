/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <iconv.h>
#include <string.h>

#include "runtime/base/mem.h"

/*
 * Aborts unless @line is one line that any log and any protobuf string can hold: no control
 * characters, nothing that turns text around, and UTF-8 in the opinion of the C library.
 */
static inline void fuzz_check_line(const char *line)
{
	static iconv_t converter = NULL;
	char wide[8192], *in = (char *)(uintptr_t)line, *out = wide;
	size_t n = strlen(line), left = n, room = sizeof(wide);

	for (size_t i = 0; i < n; i++)
		ASSERT((unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
	ASSERT(!strstr(line, "\xe2\x80\xae") && !strstr(line, "\xe2\x81\xa6"));
	if (!converter)
		converter = iconv_open("UCS-4LE", "UTF-8");
	ASSERT(iconv(converter, &in, &left, &out, &room) == 0 && left == 0);
}
