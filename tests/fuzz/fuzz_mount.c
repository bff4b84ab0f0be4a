/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/prepare/mount_overlay.h"
#include "tests/fuzz/fuzz.h"

#define WORDS 64

/* The lines of the input as option words, and its joined data as what an overlay gets. */
void fuzz_one(uint8_t *bytes, size_t n)
{
	CLEANUP_FREE char *text = strndup((const char *)bytes, n);
	CLEANUP_MOUNT_OPTIONS struct mount_options o = { .data = BUF_INIT(0) };
	const char *words[WORDS + 1] = { NULL }, *lower, *data;
	size_t n_words = 0, length;
	char *rest = text;
	struct err err;

	ASSERT(text);
	while (rest && n_words < WORDS)
		words[n_words++] = strsep(&rest, "\n");
	if (mount_options_parse(words, &o, &err) < 0)
		return;
	data = buf_str(&o.data);
	ASSERT(strlen(data) == o.data.len && o.data.len <= n + WORDS);
	lower = overlay_lower(data, &length);
	if (!lower)
		return;
	ASSERT(lower >= data && lower + length <= data + o.data.len);
	for (size_t at = 0; at < length;) {
		size_t item = overlay_item(lower + at, length - at, ':');

		ASSERT(item <= length - at);
		at += item + 1;
	}
}
