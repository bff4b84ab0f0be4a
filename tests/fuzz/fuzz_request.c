/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/prepare/request.h"
#include "tests/fuzz/fuzz.h"

/* A request that is taken is written, and taken again with the same meaning. */
void fuzz_one(uint8_t *bytes, size_t n)
{
	CLEANUP_ARENA struct arena arena = { NULL, 0, 0 };
	CLEANUP_BUF struct buf text = BUF_INIT(16u << 20);
	struct prepare_request r, again;
	struct err err;

	if (request_decode(bytes, n, &arena, &r, &err) < 0) {
		ASSERT(err.text[0]);
		return;
	}
	ASSERT(request_encode(&r, &text, &err) == 0);
	ASSERT(request_decode(text.data, text.len, &arena, &again, &err) == 0);
	ASSERT(strcmp(r.id, again.id) == 0 && strcmp(r.bundle, again.bundle) == 0);
	ASSERT(strcmp(r.process, again.process) == 0 && r.init_pid == again.init_pid);
	ASSERT(r.n_mounts == again.n_mounts && r.flags == again.flags);
	for (size_t i = 0; i < r.n_mounts; i++) {
		const char **a = r.mounts[i].options, **b = again.mounts[i].options;

		ASSERT(strcmp(r.mounts[i].target, again.mounts[i].target) == 0);
		for (; *a && *b; a++, b++)
			ASSERT(strcmp(*a, *b) == 0);
		ASSERT(!*a && !*b);
	}
}
