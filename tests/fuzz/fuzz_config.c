/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/oci/patch.h"
#include "runtime/oci/seccomp.h"
#include "runtime/oci/settings.h"
#include "tests/fuzz/fuzz.h"

/* Printed text is taken again and printed the same. */
static void check_print(json *j, struct buf *out)
{
	CLEANUP_BUF struct buf again = BUF_INIT(64u << 20);
	CLEANUP_JSON json *copy = NULL;
	struct err err;

	buf_deinit(out);
	ASSERT(json_print(j, out, &err) == 0);
	ASSERT(json_parse(out->data, out->len, "printed", &copy, &err) == 0);
	ASSERT(json_print(copy, &again, &err) == 0);
	ASSERT(again.len == out->len && memcmp(again.data, out->data, out->len) == 0);
}

static void check_document(const uint8_t *bytes, size_t n)
{
	struct patch p = { .qemu_cpu = "max",
			   .adapt_seccomp = true,
			   .host = arch_by_name("amd64", 5) };
	CLEANUP_BUF struct buf first = BUF_INIT(64u << 20), second = BUF_INIT(64u << 20);
	CLEANUP_ARENA struct arena arena = { NULL, 0, 0 };
	CLEANUP_JSON json *j = NULL;
	struct settings settings;
	struct complaint bad;
	struct spec spec;
	struct err err;

	if (json_parse(bytes, n, "it", &j, &err) < 0)
		return;
	check_print(j, &first);
	settings_init(&settings);
	(void)!settings_from_json(&settings, j, "it", &bad);
	if (spec_read(j, &arena, &spec, &err) < 0)
		return;
	(void)!settings_from_annotations(&settings, &spec, &bad);
	if (patch_apply(j, &p, &err) < 0)
		return;
	check_print(j, &first);
	ASSERT(patch_apply(j, &p, &err) == 0);
	check_print(j, &second);
	ASSERT(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
}

/* A config.json, and a node's configuration file: what prepare reads, changes and writes. */
void fuzz_one(uint8_t *bytes, size_t n)
{
	if (n < (1u << 20))
		check_document(bytes, n);
}
