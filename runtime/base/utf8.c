/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/utf8.h"

#include "runtime/base/mem.h"

/*
 * Characters that show nothing and change how others are shown: a name with them reads as another
 * one. Those that set the direction of text, join or break, and mark the start of a file (Unicode's
 * Cf and the two separators), and tags.
 */
static bool is_invisible(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0xad, 0xad },	      { 0x600, 0x605 },	    { 0x61c, 0x61c },
		{ 0x6dd, 0x6dd },     { 0x70f, 0x70f },	    { 0x890, 0x891 },
		{ 0x8e2, 0x8e2 },     { 0x180e, 0x180e },   { 0x200b, 0x200f },
		{ 0x2028, 0x202e },   { 0x2060, 0x206f },   { 0xfeff, 0xfeff },
		{ 0xfff9, 0xfffb },   { 0x110bd, 0x110bd }, { 0x110cd, 0x110cd },
		{ 0x13430, 0x1343f }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a },
		{ 0xe0000, 0xe007f },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

/* Neither an overlong form, nor a surrogate, nor beyond Unicode. */
static bool is_character(uint32_t c, size_t n)
{
	return !((n == 3 && c < 0x800) || (n == 4 && c < 0x10000) || c > 0x10ffff ||
		 (c >= 0xd800 && c <= 0xdfff));
}

size_t utf8_decode(const unsigned char *p, uint32_t *ret)
{
	uint32_t c;
	size_t n;

	*ret = *p;
	if (*p < 0x80)
		return *p != 0;
	if (*p < 0xc2 || *p > 0xf4)
		return 0;
	n = *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
	c = *p & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	*ret = c;
	return is_character(c, n) ? n : 0;
}

bool utf8_is_shown(uint32_t c)
{
	return c < 0x80 ? c >= 0x20 && c != 0x7f : c >= 0xa0 && !is_invisible(c);
}
