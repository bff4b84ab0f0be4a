/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/choose/cri_container.h"
#include "runtime/choose/image_process.h"
#include "runtime/containerd/image_json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/line.h"

static void check_index(const uint8_t *bytes, size_t n)
{
	static struct manifest_ref list[MANIFESTS_MAX];
	size_t n_list = 0;
	struct err err;

	if (image_index_parse(bytes, n, list, &n_list, &err) < 0)
		return;
	ASSERT(n_list <= MANIFESTS_MAX);
	for (size_t i = 0; i < n_list; i++) {
		ASSERT(digest_is_valid(list[i].digest) && list[i].kind != MANIFEST_OTHER);
		ASSERT(memchr(list[i].platform, 0, PLATFORM_MAX));
	}
}

static void check_process(const uint8_t *bytes, size_t n)
{
	CLEANUP_ARENA struct arena arena = { .max = 0 };
	CLEANUP_IMAGE_PROCESS struct image_process p = { .document = NULL };
	struct err err;

	if (image_process_parse(bytes, n, &arena, &p, &err) < 0)
		return;
	for (const char *const *e = p.env; *e; e++)
		ASSERT(strlen(*e) <= n);
	ASSERT(strlen(p.user) <= n && strlen(p.cwd) <= n);
}

static void check_record(const uint8_t *bytes, size_t n)
{
	CLEANUP_ARENA struct arena arena = { .max = 0 };
	CLEANUP_CRI_CONTAINER struct cri_container c = { .document = NULL };
	CLEANUP_FREE char *text = strndup((const char *)bytes, n);
	struct err err;

	ASSERT(text);
	if (cri_container_parse(text, &arena, &c, &err) == 0)
		ASSERT(digest_is_valid(c.image_ref));
}

/* One blob of an image, as each of the documents it could be. */
void fuzz_one(uint8_t *bytes, size_t n)
{
	struct image_config config;
	char digest[DIGEST_MAX], ref[DIGEST_MAX];
	bool manifest;
	struct err err;

	check_index(bytes, n);
	check_process(bytes, n);
	check_record(bytes, n);
	manifest = image_manifest_parse(bytes, n, digest, &err) == 0;
	ASSERT(!manifest || digest_is_valid(digest));
	if (cri_image_ref_parse(bytes, n, ref, &err) == 0)
		ASSERT(digest_is_valid(ref));
	if (image_config_parse(bytes, n, &config, &err) < 0)
		return;
	ASSERT(strchr(config.platform, '/'));
	fuzz_check_line(config.platform);
	ASSERT(!config.chain[0] || digest_is_valid(config.chain));
}
