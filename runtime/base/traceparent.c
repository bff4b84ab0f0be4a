/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/traceparent.h"

#include <string.h>

#define HEX "0123456789abcdef"

/* Takes @n digits off @s; false when there are more or fewer. */
static bool take_hex(const char **s, size_t n, char *ret)
{
	if (strspn(*s, HEX) != n)
		return false;
	memcpy(ret, *s, n);
	ret[n] = '\0';
	*s += n;
	return true;
}

static bool take_dash(const char **s)
{
	return *(*s)++ == '-';
}

static bool is_zero(const char *digits)
{
	return digits[strspn(digits, "0")] == '\0';
}

/* Later versions may have more behind a further dash; there is no version ff. */
static bool ends(const char *rest, const char *version)
{
	if (!*rest)
		return strcmp(version, "ff") != 0;
	return *rest == '-' && strcmp(version, "00") != 0 && strcmp(version, "ff") != 0;
}

bool traceparent_parse(const char *s, struct trace *ret)
{
	char version[3], flags[3];

	return take_hex(&s, 2, version) && take_dash(&s) &&
	       take_hex(&s, TRACE_ID_LEN, ret->trace_id) && take_dash(&s) &&
	       take_hex(&s, SPAN_ID_LEN, ret->span_id) && take_dash(&s) && take_hex(&s, 2, flags) &&
	       ends(s, version) && !is_zero(ret->trace_id) && !is_zero(ret->span_id);
}
