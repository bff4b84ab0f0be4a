/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/containerd/credentials.h"
#include "runtime/containerd/image_reference.h"
#include "tests/fuzz/fuzz.h"

/* What an image is called in full is called that again. */
static void reference(const char *text)
{
	struct image_reference r, again;
	char full[REFERENCE_MAX], twice[REFERENCE_MAX];
	struct err err = ERR_INIT;

	if (image_reference_parse(text, &r, &err) < 0)
		return;
	image_reference_format(&r, full);
	ASSERT(image_reference_parse(full, &again, &err) == 0);
	image_reference_format(&again, twice);
	ASSERT(str_eq(full, twice));
}

static void credentials(const uint8_t *bytes, size_t n, bool old)
{
	CLEANUP_CREDENTIALS struct credentials c = { .n = 0 };
	struct err err = ERR_INIT;

	if (credentials_parse(bytes, n, old, "registry.example:5000/team/app", &c, &err) < 0)
		return;
	ASSERT(c.n <= CREDENTIALS_MAX);
	for (size_t i = 0; i < c.n; i++)
		ASSERT(strlen(c.list[i].username) + strlen(c.list[i].password) <= n);
}

/* The name of an image, and the file with credentials for it. */
void fuzz_one(uint8_t *bytes, size_t n)
{
	CLEANUP_FREE char *text = strndup((const char *)bytes, n);

	ASSERT(text);
	reference(text);
	credentials(bytes, n, false);
	credentials(bytes, n, true);
}
