/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/str.h"

#include <stdarg.h>
#include <stdio.h>

#define IDENTIFIER_MAX 76

bool str_copy(char *dst, size_t size, const char *src)
{
	size_t n = strlen(src);
	size_t take = n < size ? n : size - 1;

	memcpy(dst, src, take);
	dst[take] = '\0';
	return n < size;
}

bool str_fmt(char *dst, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(dst, size, fmt, ap);
	va_end(ap);
	return n >= 0 && (size_t)n < size;
}

int str_u64(const char *s, const char *what, uint64_t max, uint64_t *ret, struct err *err)
{
	uint64_t v = 0;
	const char *p = s;

	for (; *p >= '0' && *p <= '9'; p++) {
		unsigned int digit = (unsigned int)(*p - '0');

		if (v > (max - digit) / 10 || digit > max)
			return err_set(err, ERR_INVALID, "%s \"%.64s\" is larger than %llu", what,
				       s, (unsigned long long)max);
		v = v * 10 + digit;
	}
	if (p == s || *p)
		return err_set(err, ERR_INVALID, "%s \"%.64s\" is not a decimal number", what, s);
	*ret = v;
	return 0;
}

bool str_lists(const char *list, const char *name, size_t n)
{
	while (*list) {
		size_t word = strcspn(list, " ");

		if (word == n && memcmp(list, name, n) == 0)
			return true;
		list += word + strspn(list + word, " ");
	}
	return false;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool str_is_identifier(const char *s)
{
	size_t n = strlen(s);

	if (!n || n > IDENTIFIER_MAX || !is_alnum(s[0]) || !is_alnum(s[n - 1]))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!is_alnum(s[i]) && (!strchr("._-", s[i]) || !is_alnum(s[i - 1])))
			return false;
	return true;
}
