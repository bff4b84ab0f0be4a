/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/chain_id.h"

#include <string.h>

#include "runtime/base/sha256.h"
#include "runtime/base/str.h"

#define ALGORITHM "abcdefghijklmnopqrstuvwxyz0123456789+._-"
#define HEX "0123456789abcdef"
#define HEX_MIN 32 /* of algorithms that are not known */

/* How many digits are wanted (OCI image specification, "Registered algorithms"); 0: any number. */
static size_t digits_of(const char *s)
{
	if (str_after(s, "sha256:"))
		return 64;
	return str_after(s, "sha512:") ? 128 : 0;
}

bool digest_is_valid(const char *s)
{
	size_t algorithm = strspn(s, ALGORITHM), digits = digits_of(s), hex;

	if (!algorithm || s[algorithm] != ':')
		return false;
	hex = strspn(s + algorithm + 1, HEX);
	return (digits ? hex == digits : hex >= HEX_MIN) && !s[algorithm + 1 + hex] &&
	       algorithm + 1 + hex < DIGEST_MAX;
}

int chain_add(char chain[static DIGEST_MAX], const char *diff_id, struct err *err)
{
	char both[2 * DIGEST_MAX], hex[65];

	if (!digest_is_valid(diff_id))
		return err_set(err, ERR_INVALID, "layer \"%.80s\" is not a digest", diff_id);
	if (!*chain) {
		str_copy(chain, DIGEST_MAX, diff_id);
		return 0;
	}
	str_fmt(both, sizeof(both), "%s %s", chain, diff_id);
	sha256_hex(both, strlen(both), hex);
	str_fmt(chain, DIGEST_MAX, "sha256:%s", hex);
	return 0;
}

bool chain_matches(const char *chain, const char *parent)
{
	const char *rest = *chain ? str_after(parent, chain) : NULL;

	return rest && (!*rest || *rest == '-');
}
