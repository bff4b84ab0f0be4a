/* SPDX-License-Identifier: Apache-2.0 */
/* The lookup of an image's platform, against a store that is a table in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/base/str.h"
#include "runtime/containerd/image_members.h"
#include "runtime/containerd/image_platform.h"

#define OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"

/* Digests that name what they are the digest of: they only have to be different. */
#define D(n) "sha256:00000000000000000000000000000000000000000000000000000000000000" #n
#define CONFIG_ARM D(a1)
#define CONFIG_AMD D(a2)
#define MANIFEST_ARM D(b1)
#define MANIFEST_AMD D(b2)
#define INDEX D(c1)
#define LAYER_ARM D(d1)
#define LAYER_AMD D(d2)

struct blob {
	const char *digest, *text;
};

struct fake {
	struct image_store store;
	struct container_record container;
	struct image_descriptor image;
	const char *parent;
	const struct blob *blobs; /* ends with a row without a digest */
	size_t reads;
	enum err_code broken; /* what reading a blob fails with, ERR_NONE for not at all */
};

static int fake_container(struct image_store *store, const char *id, struct arena *arena,
			  struct container_record *ret, struct err *err)
{
	struct fake *fake = container_of(store, struct fake, store);

	(void)arena;
	if (!str_eq(id, "c1"))
		return err_set(err, ERR_NOT_FOUND, "container %s: not found", id);
	*ret = fake->container;
	return 0;
}

static int fake_image(struct image_store *store, const char *name, struct arena *arena,
		      struct image_descriptor *ret, struct err *err)
{
	struct fake *fake = container_of(store, struct fake, store);

	(void)arena;
	if (!str_eq(name, "image"))
		return err_set(err, ERR_NOT_FOUND, "image %s: not found", name);
	*ret = fake->image;
	return 0;
}

static int fake_blob(struct image_store *store, const char *digest, struct buf *ret,
		     struct err *err)
{
	struct fake *fake = container_of(store, struct fake, store);

	fake->reads++;
	if (fake->broken)
		return err_set(err, fake->broken, "broken");
	for (const struct blob *b = fake->blobs; b->digest; b++)
		if (str_eq(b->digest, digest))
			return buf_add(ret, b->text, strlen(b->text), err);
	return err_set(err, ERR_NOT_FOUND, "content %s: not found", digest);
}

static int fake_parent(struct image_store *store, const char *snapshotter, const char *key,
		       struct arena *arena, const char **ret, struct err *err)
{
	(void)arena;
	if (!str_eq(snapshotter, "overlayfs") || !str_eq(key, "key"))
		return err_set(err, ERR_NOT_FOUND, "snapshot %s: not found", key);
	*ret = container_of(store, struct fake, store)->parent;
	return 0;
}

#define CONFIG(arch, more, layer)                              \
	"{\"os\":\"linux\",\"architecture\":\"" arch "\"" more \
	",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" layer "\"]}}"
#define MANIFEST(config) "{\"schemaVersion\":2,\"config\":{\"digest\":\"" config "\"}}"
#define ENTRY(type, digest) "{\"mediaType\":\"" type "\",\"digest\":\"" digest "\"}"

static const struct blob two_platforms[] = {
	{ INDEX, "{\"manifests\":[" ENTRY(OCI_MANIFEST, MANIFEST_AMD) "," ENTRY(
			 "application/vnd.example",
			 D(ee)) "," ENTRY(OCI_MANIFEST, D(f1)) "," ENTRY(OCI_MANIFEST,
									 MANIFEST_ARM) "]}" },
	{ MANIFEST_AMD, MANIFEST(CONFIG_AMD) },
	{ MANIFEST_ARM, MANIFEST(CONFIG_ARM) },
	{ CONFIG_AMD, CONFIG("amd64", "", LAYER_AMD) },
	{ CONFIG_ARM, CONFIG("arm64", ",\"variant\":\"v8\"", LAYER_ARM) },
	{ NULL, NULL },
};

static void fake_init(struct fake *fake, const struct blob *blobs)
{
	*fake = (struct fake){
		.store = { fake_container, fake_image, fake_blob, fake_parent },
		.container = { .image = "image",
			       .snapshotter = "overlayfs",
			       .snapshot_key = "key" },
		.image = { OCI_INDEX, INDEX },
		.parent = LAYER_ARM,
		.blobs = blobs,
	};
}

static void expect(struct fake *fake, const char *platform, const char *ref)
{
	struct image_platform got;
	struct err err = ERR_INIT;

	if (image_platform_of_container(&fake->store, "c1", &got, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(got.platform, platform);
	assert_string_equal(got.ref, ref);
	assert_string_equal(got.image, "image");
}

static void expect_error(struct fake *fake, enum err_code code, const char *part)
{
	struct image_platform got;
	struct err err = ERR_INIT;

	assert_int_equal(image_platform_of_container(&fake->store, "c1", &got, &err), -1);
	assert_int_equal(err.code, code);
	if (!strstr(err.text, part))
		fail_msg("\"%s\" does not say \"%s\"", err.text, part);
}

static void test_by_layers(void **state)
{
	struct fake fake;

	(void)state;
	fake_init(&fake, two_platforms);
	expect(&fake, "linux/arm64/v8", CONFIG_ARM);
	fake.parent = LAYER_AMD;
	expect(&fake, "linux/amd64", CONFIG_AMD);
	fake.parent = LAYER_ARM "-100000-65536";
	expect(&fake, "linux/arm64/v8", CONFIG_ARM);
	fake.image = (struct image_descriptor){ OCI_MANIFEST, MANIFEST_ARM };
	expect(&fake, "linux/arm64/v8", CONFIG_ARM);
}

/* The name was tagged anew after the container was made, or the container stands on no image. */
static void test_other_layers(void **state)
{
	struct fake fake;

	(void)state;
	fake_init(&fake, two_platforms);
	fake.parent = D(d9);
	expect_error(&fake, ERR_NOT_FOUND, "layers");
	fake.parent = "";
	expect_error(&fake, ERR_NOT_FOUND, "layers");
	fake.container.image = "";
	expect_error(&fake, ERR_NOT_FOUND, "no image is recorded");
	fake.container.image = "gone";
	expect_error(&fake, ERR_NOT_FOUND, "image gone");
}

static void test_by_record(void **state)
{
	struct fake fake;

	(void)state;
	fake_init(&fake, two_platforms);
	fake.parent = LAYER_AMD;
	fake.container.metadata =
		"{\"Version\":\"v1\",\"Metadata\":{\"ImageRef\":\"" CONFIG_ARM "\"}}";
	expect(&fake, "linux/arm64/v8", CONFIG_ARM);
	assert_int_equal(fake.reads, 1);
	fake.container.metadata = "{\"Version\":\"v1\",\"Metadata\":{}}";
	expect(&fake, "linux/amd64", CONFIG_AMD);
	fake.container.metadata = "{\"Metadata\":{\"ImageRef\":\"" D(99) "\"}}";
	expect(&fake, "linux/amd64", CONFIG_AMD);
	fake.container.metadata = "{\"Metadata\":{\"ImageRef\":\"../../etc\"}}";
	expect_error(&fake, ERR_INVALID, "not a digest");
	fake.container.metadata = "{\"Metadata\":[";
	expect_error(&fake, ERR_INVALID, "record");
}

/* A failure of the store is passed on; a blob that is missing or odd only skips its platform. */
static void test_failures(void **state)
{
	static const struct blob odd[] = {
		{ INDEX, "{\"manifests\":[" ENTRY(OCI_MANIFEST, D(01)) "," ENTRY(
				 OCI_MANIFEST, MANIFEST_ARM) "]}" },
		{ D(01), "[1,2,3]" },
		{ MANIFEST_ARM, MANIFEST(CONFIG_ARM) },
		{ CONFIG_ARM, CONFIG("arm64", "", LAYER_ARM) },
		{ NULL, NULL },
	};
	struct fake fake;

	(void)state;
	fake_init(&fake, odd);
	expect(&fake, "linux/arm64", CONFIG_ARM);
	fake.broken = ERR_TIMEOUT;
	expect_error(&fake, ERR_TIMEOUT, "broken");
	fake.broken = ERR_NONE;
	fake.image.digest = "sha256:no";
	expect_error(&fake, ERR_INVALID, "not a digest");
	fake.image.media_type = "application/vnd.docker.distribution.manifest.v1+prettyjws";
	expect_error(&fake, ERR_UNSUPPORTED, "media type");
}

struct hostile {
	const char *digest, *text;
	enum err_code code;
	const char *part;
};

/* Documents in the place of the only manifest or of its configuration. */
static const struct hostile hostile[] = {
	{ MANIFEST_ARM, "", ERR_INVALID, "JSON" },
	{ MANIFEST_ARM, "{", ERR_INVALID, "JSON" },
	{ MANIFEST_ARM, "{} {}", ERR_INVALID, "" },
	{ MANIFEST_ARM, "{\"config\":{\"digest\":7}}", ERR_INVALID, "digest" },
	{ MANIFEST_ARM, "{\"config\":\"x\"}", ERR_INVALID, "config" },
	{ MANIFEST_ARM, "{\"config\":{\"digest\":\"" CONFIG_ARM "\"},\"manifests\":[]}",
	  ERR_INVALID, "not an image manifest" },
	{ CONFIG_ARM, "{\"architecture\":\"arm64\\n\"}", ERR_INVALID, "platform" },
	{ CONFIG_ARM, "{\"architecture\":\"../../etc\"}", ERR_INVALID, "platform" },
	{ CONFIG_ARM, "{\"architecture\":\"arm64\\u0000x\"}", ERR_INVALID, "architecture" },
	{ CONFIG_ARM, "{\"architecture\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}", ERR_INVALID,
	  "platform" },
	{ CONFIG_ARM, "{\"os\":\"linux\"}", ERR_INVALID, "platform" },
	{ CONFIG_ARM, "{\"architecture\":\"arm64\",\"rootfs\":{\"diff_ids\":[\"x\"]}}", ERR_INVALID,
	  "not a digest" },
	{ CONFIG_ARM, "{\"architecture\":\"arm64\",\"rootfs\":{\"diff_ids\":[[]]}}", ERR_INVALID,
	  "layer" },
	{ CONFIG_ARM, "{\"architecture\":\"arm64\"}", ERR_NOT_FOUND, "layers" },
};

static void test_hostile_documents(void **state)
{
	struct fake fake;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		const struct blob blobs[] = {
			{ hostile[i].digest, hostile[i].text },
			{ MANIFEST_ARM, MANIFEST(CONFIG_ARM) },
			{ NULL, NULL },
		};

		fake_init(&fake, blobs);
		fake.image = (struct image_descriptor){ OCI_MANIFEST, MANIFEST_ARM };
		expect_error(&fake, hostile[i].code, hostile[i].part);
	}
}

/* An index of @n images that nobody has. */
static char *index_of(size_t n)
{
	struct buf b = BUF_INIT(1u << 20);
	struct err err;

	assert_int_equal(buf_printf(&b, &err, "{\"manifests\":["), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_printf(&b, &err,
					    "%s{\"mediaType\":\"%s\",\"digest\":\"sha256:%064zx\"}",
					    i ? "," : "", OCI_MANIFEST, i),
				 0);
	assert_int_equal(buf_printf(&b, &err, "]}"), 0);
	return (char *)b.data;
}

static void test_huge_index(void **state)
{
	struct {
		size_t n;
		enum err_code code;
	} cases[] = {
		{ 255, ERR_NOT_FOUND },
		{ 256, ERR_LIMIT },
		{ 5000, ERR_LIMIT },
	};
	struct fake fake;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_FREE char *text = index_of(cases[i].n);
		const struct blob blobs[] = { { INDEX, text }, { NULL, NULL } };

		fake_init(&fake, blobs);
		expect_error(&fake, cases[i].code, "");
		assert_true(fake.reads <= MANIFESTS_MAX);
	}
}

/* Indexes may name indexes, even themselves: the walk ends at its bound. */
static void test_nested_index(void **state)
{
	static const struct blob nested[] = {
		{ INDEX, "{\"manifests\":[" ENTRY(OCI_INDEX, D(c2)) "]}" },
		{ D(c2), "{\"manifests\":[" ENTRY(OCI_MANIFEST, MANIFEST_ARM) "]}" },
		{ MANIFEST_ARM, MANIFEST(CONFIG_ARM) },
		{ CONFIG_ARM, CONFIG("arm64", "", LAYER_ARM) },
		{ NULL, NULL },
	};
	static const struct blob itself[] = {
		{ INDEX,
		  "{\"manifests\":[" ENTRY(OCI_INDEX, INDEX) "," ENTRY(OCI_INDEX, INDEX) "]}" },
		{ NULL, NULL },
	};
	struct fake fake;

	(void)state;
	fake_init(&fake, nested);
	expect(&fake, "linux/arm64", CONFIG_ARM);
	fake_init(&fake, itself);
	expect_error(&fake, ERR_LIMIT, "256");
	assert_true(fake.reads <= MANIFESTS_MAX);
}

static void test_too_large(void **state)
{
	CLEANUP_FREE char *large = malloc(BLOB_MAX + 2);
	const struct blob blobs[] = { { MANIFEST_ARM, large }, { NULL, NULL } };
	struct fake fake;

	(void)state;
	memset(large, ' ', BLOB_MAX + 1);
	large[BLOB_MAX + 1] = '\0';
	fake_init(&fake, blobs);
	fake.image = (struct image_descriptor){ OCI_MANIFEST, MANIFEST_ARM };
	expect_error(&fake, ERR_LIMIT, "limit");
}

static void test_deep(void **state)
{
	char deep[20001];
	const struct blob blobs[] = { { MANIFEST_ARM, deep }, { NULL, NULL } };
	struct fake fake;

	(void)state;
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	fake_init(&fake, blobs);
	fake.image = (struct image_descriptor){ OCI_MANIFEST, MANIFEST_ARM };
	expect_error(&fake, ERR_INVALID, "");
}

static void test_by_name(void **state)
{
	CLEANUP_FREE struct image_platform *list = calloc(MANIFESTS_MAX, sizeof(*list));
	struct err err = ERR_INIT;
	struct fake fake;
	size_t n;

	(void)state;
	fake_init(&fake, two_platforms);
	assert_int_equal(image_platforms_of_name(&fake.store, "image", list, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_string_equal(list[0].platform, "linux/amd64");
	assert_string_equal(list[1].platform, "linux/arm64/v8");
	assert_string_equal(list[1].ref, CONFIG_ARM);
	assert_int_equal(image_platforms_of_name(&fake.store, "gone", list, &n, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

/* What BuildKit adds to an index for its attestations. */
static void test_attestation(void **state)
{
	static const struct blob only[] = {
		{ INDEX, "{\"manifests\":[" ENTRY(OCI_MANIFEST, MANIFEST_ARM) "]}" },
		{ MANIFEST_ARM, MANIFEST(CONFIG_ARM) },
		{ CONFIG_ARM, "{\"architecture\":\"unknown\",\"os\":\"unknown\"}" },
		{ NULL, NULL },
	};
	CLEANUP_FREE struct image_platform *list = calloc(MANIFESTS_MAX, sizeof(*list));
	struct err err = ERR_INIT;
	struct fake fake;
	size_t n;

	(void)state;
	fake_init(&fake, only);
	assert_int_equal(image_platforms_of_name(&fake.store, "image", list, &n, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

/* What an index has, by its digest: without attestations, and with what is not on this node. */
static void test_by_digest(void **state)
{
	static const struct blob blobs[] = {
		{ INDEX,
		  "{\"manifests\":["
		  "{\"mediaType\":\"" OCI_MANIFEST "\",\"digest\":\"" MANIFEST_ARM
		  "\",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\"}},"
		  "{\"mediaType\":\"" OCI_MANIFEST "\",\"digest\":\"" D(
			  f1) "\",\"platform\":{\"os\":\"linux\",\"architecture\":\"s390x\"}},"
			      "{\"mediaType\":\"" OCI_MANIFEST "\",\"digest\":\"" D(
				      f2) "\",\"platform\":{\"os\":\"linux\",\"architecture\":"
					  "\"s390x\"},\"annotations\":{"
					  "\"vnd.docker.reference.type\":\"attestation-manifest\"}}"
					  "]}" },
		{ MANIFEST_ARM, MANIFEST(CONFIG_ARM) },
		{ CONFIG_ARM, CONFIG("arm64", ",\"variant\":\"v8\"", LAYER_ARM) },
		{ D(e1), "{}" },
		{ NULL, NULL },
	};
	CLEANUP_MEMBERS struct image_members all = { .list = NULL };
	CLEANUP_MEMBERS struct image_members one = { .list = NULL };
	struct err err = ERR_INIT;
	struct fake fake;

	(void)state;
	fake_init(&fake, blobs);
	assert_int_equal(image_members_of_digest(&fake.store, INDEX, &all, &err), 0);
	assert_true(all.index);
	assert_int_equal(all.n, 2);
	assert_string_equal(all.list[0].declared, "linux/arm64/v8");
	assert_true(all.list[0].here);
	assert_string_equal(all.list[1].platform, "linux/s390x");
	assert_false(all.list[1].here);
	assert_int_equal(image_members_of_digest(&fake.store, MANIFEST_ARM, &one, &err), 0);
	assert_false(one.index);
	assert_int_equal(one.n, 1);
	assert_string_equal(one.list[0].platform, "linux/arm64/v8");
	assert_int_equal(image_members_of_digest(&fake.store, D(e1), &one, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(image_members_of_digest(&fake.store, D(e2), &one, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_layers),
		cmocka_unit_test(test_other_layers),
		cmocka_unit_test(test_by_record),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_hostile_documents),
		cmocka_unit_test(test_huge_index),
		cmocka_unit_test(test_nested_index),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_by_name),
		cmocka_unit_test(test_attestation),
		cmocka_unit_test(test_by_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
