/* SPDX-License-Identifier: Apache-2.0 */
/* Digests and chain IDs. The expected chains were computed with sha256sum(1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/base/mem.h"
#include "runtime/containerd/chain_id.h"

/* The SHA-256 of "a", "b" and "c". */
#define A "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
#define B "sha256:3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"
#define C "sha256:2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6"
#define AB "sha256:51c0c8ace48498d6f5fee6b0592cc06f2da0f3cbe09c5a34a97dce85c3889676"
#define ABC "sha256:2fce7f8ce91bcf0a1428b36e1024639fdbd9469eea762dba98aa749631885106"

static void test_chain(void **state)
{
	char chain[DIGEST_MAX] = "";
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(chain_add(chain, A, &err), 0);
	assert_string_equal(chain, A);
	assert_int_equal(chain_add(chain, B, &err), 0);
	assert_string_equal(chain, AB);
	assert_int_equal(chain_add(chain, C, &err), 0);
	assert_string_equal(chain, ABC);
	assert_int_equal(chain_add(chain, "sha256:zz", &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(chain, ABC);
}

#define HEX64 "0000000000000000000000000000000000000000000000000000000000000000"

struct digest_case {
	const char *text;
	bool valid;
};

static const struct digest_case digests[] = {
	{ A, true },
	{ "sha512:" HEX64 HEX64, true },
	{ "sha512:" HEX64, false },
	{ "sha256:" HEX64 "0", false },
	{ "multihash+base58:00000000000000000000000000000000", true },
	{ "", false },
	{ ":", false },
	{ "sha256:", false },
	{ "sha256", false },
	{ "sha256:ca978112ca1bbdcafac231b39a23dc4", false },
	{ "sha256:ca978112ca1bbdcafac231b39a23dc4d", false },
	{ "sha256:CA978112CA1BBDCAFAC231B39A23DC4DA786EFF8147C4E72B9807785AFEE48BB", false },
	{ A "\n", false },
	{ A "0/../..", false },
	{ "SHA256:00000000000000000000000000000000", false },
	{ " " A, false },
};

static void test_digest(void **state)
{
	char longest[DIGEST_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(digests); i++)
		if (digest_is_valid(digests[i].text) != digests[i].valid)
			fail_msg("\"%s\"", digests[i].text);
	memset(longest, '0', sizeof(longest));
	memcpy(longest, "x:", 2);
	longest[DIGEST_MAX] = '\0';
	assert_false(digest_is_valid(longest));
	longest[DIGEST_MAX - 1] = '\0';
	assert_true(digest_is_valid(longest));
}

static void test_match(void **state)
{
	(void)state;
	assert_true(chain_matches(A, A));
	assert_true(chain_matches(A, A "-100000-100000"));
	assert_false(chain_matches(A, A "0"));
	assert_false(chain_matches(A, B));
	assert_false(chain_matches(A, ""));
	assert_false(chain_matches("", ""));
	assert_false(chain_matches("", A));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
