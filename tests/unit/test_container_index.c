/* SPDX-License-Identifier: Apache-2.0 */
/* Which index a container was made of, against a store that is a table in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/base/str.h"
#include "runtime/choose/container_index.h"

#define OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define HOST "registry.example/"

/* Digests that name what they are the digest of: they only have to be different. */
#define ZEROS "0000000000000000000000000000000"
#define D(n) "sha256:" ZEROS ZEROS #n
#define CONFIG_AMD D(a1)
#define CONFIG_ARM D(a2)
#define CONFIG_OTHER D(a3)
#define AMD D(b1)
#define ARM D(b2)
#define ARM_OTHER D(b3)
#define INDEX D(c1)
#define INDEX_OTHER D(c2)   /* the same for amd64, another for arm64 */
#define INDEX_FOREIGN D(c3) /* without that for amd64 */

static const struct {
	const char *digest, *text;
} blobs[] = {
#define ENTRY(digest) "{\"mediaType\":\"" OCI_MANIFEST "\",\"digest\":\"" digest "\"}"
#define MANIFEST(config) "{\"schemaVersion\":2,\"config\":{\"digest\":\"" config "\"}}"
#define CONFIG(arch)                                 \
	"{\"os\":\"linux\",\"architecture\":\"" arch \
	"\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D(d1) "\"]}}"
	{ INDEX, "{\"manifests\":[" ENTRY(AMD) "," ENTRY(ARM) "]}" },
	{ INDEX_OTHER, "{\"manifests\":[" ENTRY(AMD) "," ENTRY(ARM_OTHER) "]}" },
	{ INDEX_FOREIGN, "{\"manifests\":[" ENTRY(ARM) "]}" },
	{ AMD, MANIFEST(CONFIG_AMD) },
	{ ARM, MANIFEST(CONFIG_ARM) },
	{ ARM_OTHER, MANIFEST(CONFIG_OTHER) },
	{ CONFIG_AMD, CONFIG("amd64") },
	{ CONFIG_ARM, CONFIG("arm64") },
	{ CONFIG_OTHER, CONFIG("arm64") },
};

struct fake {
	struct image_store store;
	struct image_named images[4];
	size_t n;
	const char *sources[3]; /* none: imported */
};

static int fake_image(struct image_store *store, const char *name, struct arena *arena,
		      struct image_descriptor *ret, struct err *err)
{
	struct fake *fake = container_of(store, struct fake, store);

	(void)arena;
	for (size_t i = 0; i < fake->n; i++) {
		if (str_eq(fake->images[i].name, name)) {
			*ret = fake->images[i].target;
			return 0;
		}
	}
	return err_set(err, ERR_NOT_FOUND, "image %s: not found", name);
}

static int fake_images(struct image_store *store, struct arena *arena, struct image_named **ret,
		       size_t *ret_n, struct err *err)
{
	struct fake *fake = container_of(store, struct fake, store);

	(void)arena;
	(void)err;
	*ret = fake->images;
	*ret_n = fake->n;
	return 0;
}

static int fake_blob(struct image_store *store, const char *digest, struct buf *ret,
		     struct err *err)
{
	(void)store;
	for (size_t i = 0; i < ARRAY_SIZE(blobs); i++)
		if (str_eq(blobs[i].digest, digest))
			return buf_add(ret, blobs[i].text, strlen(blobs[i].text), err);
	return err_set(err, ERR_NOT_FOUND, "content %s: not found", digest);
}

static int fake_sources(struct image_store *store, const char *digest, struct arena *arena,
			const char *const **ret, struct err *err)
{
	(void)digest;
	(void)arena;
	(void)err;
	*ret = container_of(store, struct fake, store)->sources;
	return 0;
}

/* A node that has these names, in this order. */
static struct fake node(const char *name, const char *digest, const char *other,
			const char *other_digest)
{
	return (struct fake){
		.store = { .image = fake_image,
			   .images = fake_images,
			   .blob = fake_blob,
			   .sources = fake_sources },
		.images = { { name, { OCI_INDEX, digest } },
			    { other, { OCI_INDEX, other_digest } } },
		.n = 2,
	};
}

struct words {
	const char *written, *image, *recorded;
};

static void expect(struct fake *fake, const struct words *w, const char *arm,
		   const char *repository)
{
	const struct container_record record = { .image = w->recorded };
	const struct cri_container container = {
		.image_ref = CONFIG_AMD,
		.image = w->image,
		.written_image = w->written,
	};
	CLEANUP_INDEX struct container_index got = { .own = NULL };
	struct err err = ERR_INIT;

	if (container_index_find(&fake->store, &record, &container, &got, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(got.own->ref, CONFIG_AMD);
	assert_string_equal(got.members.list[1].manifest, arm);
	if (container_index_locate(&fake->store, &got, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(got.repository, repository);
}

/* The variant of the node is the same in both: what the pod says decides, not what is recorded. */
static void test_words_of_the_pod(void **state)
{
	struct fake fake = node(HOST "a:1", INDEX, HOST "b:1", INDEX_OTHER);
	const struct words tag = { "", HOST "b:1", HOST "a:1" };
	const struct words kubelet = { HOST "b:1", CONFIG_AMD, HOST "a:1" };
	const struct words nothing = { "", CONFIG_AMD, HOST "a:1" };

	(void)state;
	expect(&fake, &tag, ARM_OTHER, HOST "b");
	expect(&fake, &kubelet, ARM_OTHER, HOST "b");
	expect(&fake, &nothing, ARM, HOST "a");
}

static void test_short_names(void **state)
{
	struct fake fake = node("docker.io/library/a:latest", INDEX, HOST "b:1", INDEX_OTHER);
	const struct words words = { "a", CONFIG_AMD, HOST "b:1" };

	(void)state;
	expect(&fake, &words, ARM, "docker.io/library/a");
}

static void test_moved_tag(void **state)
{
	struct fake fake = node(HOST "a:1", INDEX_FOREIGN, CONFIG_AMD, INDEX);
	const struct words words = { HOST "a:1", CONFIG_AMD, HOST "a:1" };

	(void)state;
	expect(&fake, &words, ARM, HOST "a");
}

static void test_other_names(void **state)
{
	struct fake fake = node(HOST "a:1", INDEX_FOREIGN, HOST "c:1", INDEX);
	const struct words words = { "", CONFIG_AMD, HOST "a:1" };

	(void)state;
	expect(&fake, &words, ARM, HOST "a"); /* where it was pulled from before the tag moved */
}

/* A name that was given to an image on this node is no place to pull from. */
static void test_sources(void **state)
{
	struct fake fake = node("nowhere.example/a:1", INDEX, HOST "b:1", INDEX_FOREIGN);
	const struct words words = { "", "nowhere.example/a:1", "nowhere.example/a:1" };

	(void)state;
	expect(&fake, &words, ARM, "nowhere.example/a");
	fake.sources[0] = HOST "c/d";
	expect(&fake, &words, ARM, HOST "c/d");
	fake.sources[1] = "nowhere.example/a";
	expect(&fake, &words, ARM, "nowhere.example/a");
}

/* A kubelet that says no more than the digest. */
static void test_digest(void **state)
{
	struct fake fake = node(CONFIG_AMD, INDEX, HOST "b:1", INDEX_FOREIGN);
	const struct words words = { "", CONFIG_AMD, CONFIG_AMD };
	const struct words another = { "", CONFIG_AMD, "" };

	(void)state;
	fake.sources[0] = HOST "a";
	expect(&fake, &words, ARM, HOST "a");
	fake.images[0].name = HOST "other:1";
	fake.sources[0] = NULL;
	expect(&fake, &another, ARM, HOST "other");
}

/* What containerd notes has no port; a name for the same index has. */
static void test_ports(void **state)
{
	struct fake fake = node("nowhere.example/a:1", INDEX, "127.0.0.1:5000/a:1", INDEX);
	const struct words words = { "", "nowhere.example/a:1", "nowhere.example/a:1" };
	const struct words same = { "", "127.0.0.1:5000/a:1", "nowhere.example/a:1" };

	(void)state;
	fake.sources[0] = "127.0.0.1/a";
	expect(&fake, &same, ARM, "127.0.0.1:5000/a");
	expect(&fake, &words, ARM, "127.0.0.1:5000/a");
}

static void test_none(void **state)
{
	struct fake fake = node(HOST "a:1", INDEX_FOREIGN, HOST "b:1", INDEX_FOREIGN);
	const struct container_record record = { .image = HOST "a:1" };
	const struct cri_container container = {
		.image_ref = CONFIG_AMD,
		.image = CONFIG_AMD,
		.written_image = "",
	};
	struct container_index got = { .own = NULL };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(container_index_find(&fake.store, &record, &container, &got, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(container_index_locate(&fake.store, &got, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_of_the_pod),
		cmocka_unit_test(test_short_names),
		cmocka_unit_test(test_moved_tag),
		cmocka_unit_test(test_other_names),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
