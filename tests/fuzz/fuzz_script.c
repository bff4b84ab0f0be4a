/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/image/script.h"
#include "tests/fuzz/fuzz.h"

static bool blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/*
 * What the kernel makes of the line, one character at a time: the bytes of the interpreter's name
 * and their number, 0 when it would refuse the file.
 */
static size_t oracle(const uint8_t head[PROGRAM_HEAD], const uint8_t **ret_name)
{
	size_t at = 2, n = 0;

	while (at < PROGRAM_HEAD && blank(head[at]))
		at++;
	*ret_name = head + at;
	for (; at + n < PROGRAM_HEAD; n++)
		if (!head[at + n] || head[at + n] == '\n' || blank(head[at + n]))
			return n;
	return 0; /* cut off: it may be longer than what is seen */
}

void fuzz_one(uint8_t *bytes, size_t n)
{
	uint8_t head[PROGRAM_HEAD] = { 0 };
	struct script script, padded;
	enum script_result result = script_read(bytes, n, &script);
	const uint8_t *name;
	size_t length;

	memcpy(head, bytes, n < sizeof(head) ? n : sizeof(head));
	ASSERT(script_read(head, sizeof(head), &padded) == result);
	if (head[0] != '#' || head[1] != '!') {
		ASSERT(result == SCRIPT_NONE);
		return;
	}
	length = oracle(head, &name);
	ASSERT(result == SCRIPT_OK ||
	       (!length && (result == SCRIPT_NAMELESS || result == SCRIPT_LONG)));
	ASSERT((result == SCRIPT_OK) == (length > 0));
	if (!length)
		return;
	ASSERT(strlen(script.interpreter) == length);
	ASSERT(memcmp(script.interpreter, name, length) == 0);
	ASSERT(script.crlf == (strchr(script.interpreter, '\r') != NULL));
	ASSERT(memcmp(&script, &padded, sizeof(script)) == 0);
}
