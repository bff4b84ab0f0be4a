/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/image/go.h"

#include <string.h>
#include <unistd.h>

#include "runtime/base/mem.h"

#define MAGIC "\xff Go buildinf:"
#define MAGIC_SIZE 14
#define FLAGS_AT 15
#define INLINE 2u /* flag: the strings follow at once, each behind its length */
#define STRINGS_AT 32
#define LOOKED_AT (512u << 10) /* bytes of a data segment */

/* "go1.24.6", at most @n bytes. */
static void parse(const char *text, size_t n, struct version *ret)
{
	unsigned int numbers[3] = { 0, 0, 0 };
	size_t at = 2, i = 0;

	*ret = (struct version){ 0, 0, 0 };
	if (n < 4 || memcmp(text, "go", 2) != 0)
		return;
	for (; at < n && i < 3; at++) {
		if (text[at] >= '0' && text[at] <= '9' && numbers[i] < 1000)
			numbers[i] = numbers[i] * 10 + (unsigned int)(text[at] - '0');
		else if (text[at] == '.')
			i++;
		else
			break;
	}
	*ret = (struct version){ numbers[0], numbers[1], numbers[2] };
}

bool go_version_find(const void *bytes, size_t n, struct version *ret)
{
	const char *p = memmem(bytes, n, MAGIC, MAGIC_SIZE), *end = (const char *)bytes + n;

	if (!p)
		return false;
	*ret = (struct version){ 0, 0, 0 };
	if (end - p > STRINGS_AT + 1 && ((unsigned char)p[FLAGS_AT] & INLINE)) {
		size_t length = (unsigned char)p[STRINGS_AT],
		       left = (size_t)(end - p) - STRINGS_AT - 1;

		if (length < 128) /* one byte of a variable-length number */
			parse(p + STRINGS_AT + 1, length < left ? length : left, ret);
	}
	return true;
}

bool go_version_of_file(int fd, uint64_t at, uint64_t n, struct version *ret)
{
	size_t size = n < LOOKED_AT ? (size_t)n : LOOKED_AT;
	CLEANUP_FREE char *bytes = size && at <= (uint64_t)INT64_MAX - size ? malloc(size) : NULL;
	ssize_t got = bytes ? pread(fd, bytes, size, (off_t)at) : 0;

	return got > 0 && go_version_find(bytes, (size_t)got, ret);
}
