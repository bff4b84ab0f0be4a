/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/mem.h"
#include "tests/fuzz/fuzz.h"

/* AFL++ hands over a part of one large buffer, in which nobody would notice a read too far. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	CLEANUP_FREE uint8_t *copy = malloc(n);

	ASSERT(copy || !n);
	if (n)
		memcpy(copy, bytes, n);
	fuzz_one(copy, n);
	return 0;
}
