/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors: NIST's examples for SHA-256 and the million-letter message of FIPS 180. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/base/mem.h"
#include "runtime/base/sha256.h"

struct vector {
	const char *message, *digest;
};

static const struct vector vectors[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
	  "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
	  "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
};

static void test_known(void **state)
{
	char hex[65];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		sha256_hex(vectors[i].message, strlen(vectors[i].message), hex);
		assert_string_equal(hex, vectors[i].digest);
	}
}

static void test_million(void **state)
{
	static const uint8_t want[] = { 0xcd, 0xc7, 0x6e, 0x5c, 0x99, 0x14, 0xfb, 0x92,
					0x81, 0xa1, 0xc7, 0xe2, 0x84, 0xd7, 0x3e, 0x67,
					0xf1, 0x80, 0x9a, 0x48, 0xa4, 0x97, 0x20, 0x0e,
					0x04, 0x6d, 0x39, 0xcc, 0xc7, 0x11, 0x2c, 0xd0 };
	char a[1000];
	struct sha256 s;
	uint8_t digest[32];

	(void)state;
	memset(a, 'a', sizeof(a));
	sha256_init(&s);
	for (int i = 0; i < 1000; i++)
		sha256_add(&s, a, sizeof(a));
	sha256_end(&s, digest);
	assert_memory_equal(digest, want, sizeof(want));
}

/* Any split of a message gives the digest of the whole; lengths cross both padding boundaries. */
static void test_split(void **state)
{
	uint8_t message[130], whole[32], parts[32];
	struct sha256 s;

	(void)state;
	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)(i * 7);
	for (size_t n = 0; n <= sizeof(message); n++) {
		sha256(message, n, whole);
		for (size_t cut = 0; cut <= n; cut++) {
			sha256_init(&s);
			sha256_add(&s, message, cut);
			sha256_add(&s, message + cut, n - cut);
			sha256_end(&s, parts);
			assert_memory_equal(parts, whole, sizeof(whole));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_million),
		cmocka_unit_test(test_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
