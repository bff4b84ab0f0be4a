/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/binfmt/emulator_kind.h"
#include "runtime/binfmt/entry.h"
#include "tests/fuzz/fuzz.h"

/* The kernel's comparison bit by bit. */
static bool oracle(const struct binfmt_entry *e, const uint8_t *head)
{
	for (unsigned int bit = 0; bit < e->len * 8; bit++) {
		unsigned int at = bit / 8, in = bit % 8;

		if ((e->mask[at] >> in & 1) && ((e->magic[at] ^ head[e->offset + at]) >> in & 1))
			return false;
	}
	return true;
}

/* The first PROGRAM_HEAD bytes are a program, the rest is the text of an entry. */
void fuzz_one(uint8_t *bytes, size_t n)
{
	uint8_t head[PROGRAM_HEAD] = { 0 };
	size_t take = n < sizeof(head) ? n : sizeof(head);
	CLEANUP_FREE char *text = strndup((const char *)bytes + take, n - take);
	struct binfmt_entry e;
	struct err err;
	size_t at;

	memcpy(head, bytes, take);
	if (!text || binfmt_entry_parse("fuzz", text, &e, &err) < 0)
		return;
	ASSERT(e.interpreter[0] && e.offset + e.len <= PROGRAM_HEAD);
	ASSERT(!emulator_kind_is_foreign(&e) || emulator_kind_is_other(emulator_kind_of(&e)));
	if (e.kind != BINFMT_MAGIC)
		return;
	ASSERT(binfmt_entry_matches(&e, head, "/x") == oracle(&e, head));
	ASSERT(binfmt_entry_rejects(&e, head, &at) != oracle(&e, head));
}
