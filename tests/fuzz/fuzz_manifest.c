/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/cli/pod_images.h"
#include "tests/fuzz/fuzz.h"

static int same(void *ctx, const char *image, const char **ret, struct err *err)
{
	(void)ctx;
	(void)err;
	ASSERT(*image && !strchr(image, '\n'));
	*ret = image;
	return 0;
}

/* What is replaced by itself gives the same manifest. */
void fuzz_one(uint8_t *bytes, size_t n)
{
	CLEANUP_BUF struct buf out = BUF_INIT(1u << 24);
	struct err err = ERR_INIT;
	size_t images = 0;

	if (pod_images_rewrite((const char *)bytes, n, same, NULL, &out, &images, &err) < 0) {
		ASSERT(err.code != ERR_NONE && *err.text);
		return;
	}
	ASSERT(out.len == n && images <= n && (!n || memcmp(out.data, bytes, n) == 0));
}
