/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/uri.h"

#include <string.h>

const char *uri_scheme(const char *s, char ret_scheme[URI_SCHEME_MAX])
{
	const char *colon = strstr(s, "://");
	size_t n = colon ? (size_t)(colon - s) : 0;

	if (n >= URI_SCHEME_MAX)
		n = URI_SCHEME_MAX - 1;
	memcpy(ret_scheme, s, n);
	ret_scheme[n] = '\0';
	return colon ? colon + 3 : s;
}

/* The value of a hexadecimal digit, or -1. */
static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void uri_decode(char *s, bool query)
{
	char *to = s;

	for (; *s; s++) {
		int high = *s == '%' ? hex_digit(s[1]) : -1;
		int low = high < 0 ? -1 : hex_digit(s[2]);

		if (low >= 0 && high * 16 + low) {
			*to++ = (char)(high * 16 + low);
			s += 2;
		} else {
			*to++ = query && *s == '+' ? ' ' : *s;
		}
	}
	*to = '\0';
}

int uri_split(char *rest, char **ret_query, struct err *err)
{
	char *query = strchr(rest, '?');

	if (query)
		*query++ = '\0';
	uri_decode(rest, false);
	if (*rest != '/')
		return err_set(err, ERR_INVALID, "\"%.200s\" is not an absolute path", rest);
	*ret_query = query ? query : rest + strlen(rest);
	return 0;
}
