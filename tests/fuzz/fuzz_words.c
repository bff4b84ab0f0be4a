/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/image/shell_words.h"
#include "tests/fuzz/fuzz.h"

/* Every word is a piece of the text, behind the one before. */
void fuzz_one(uint8_t *bytes, size_t n)
{
	const char *text = (const char *)bytes, *from = text;
	struct shell_words w;

	shell_words_init(&w, text, n);
	while (shell_words_next(&w)) {
		size_t length = strlen(w.word);

		ASSERT(length && length <= WORD_MAX && w.p <= text + n);
		ASSERT(w.p - length >= from && memcmp(w.p - length, w.word, length) == 0);
		ASSERT(!strpbrk(w.word, " \t\n$=(){}\"'") && w.word[0] != '-');
		from = w.p;
	}
}
