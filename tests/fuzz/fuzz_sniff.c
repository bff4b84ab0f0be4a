/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/image/ident.h"
#include "runtime/image/script.h"
#include "runtime/image/sniff.h"
#include "runtime/image/text_kind.h"
#include "tests/fuzz/fuzz.h"

/* The kind agrees with the readers of that kind, and has words. */
void fuzz_one(uint8_t *bytes, size_t n)
{
	enum image_kind kind = sniff(bytes, n, n);
	struct script script;
	struct ident id;

	ASSERT(kind < IMAGE_KIND_N && *sniff_words(kind));
	ASSERT((kind == IMAGE_EMPTY) == !n);
	ASSERT(sniff(bytes, n, 0) == IMAGE_EMPTY);
	ASSERT((kind == IMAGE_SCRIPT) == (script_read(bytes, n, &script) == SCRIPT_OK));
	ASSERT((kind == IMAGE_NAMELESS) == (script_read(bytes, n, &script) == SCRIPT_NAMELESS));
	ASSERT((kind == IMAGE_LONG) == (script_read(bytes, n, &script) == SCRIPT_LONG));
	if (ident_read(bytes, n, &id) == IDENT_CUT)
		ASSERT(kind == IMAGE_CUT);
	if (ident_read(bytes, n, &id) == IDENT_ELF)
		ASSERT(kind == sniff_type(id.type));
	(void)text_language("x", bytes, n < PROGRAM_HEAD ? n : PROGRAM_HEAD);
	if (kind == IMAGE_TEXT)
		ASSERT(!memchr(bytes, 0, n));
}
