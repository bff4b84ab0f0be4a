/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/image/version.h"

#include <string.h>
#include <unistd.h>

#include "runtime/base/mem.h"

#define LARGEST_FILE (64u << 20)
#define CHUNK (256u << 10)
#define OVERLAP 64 /* longer than the text that is looked for */

static const char before[] = "qemu-", between[] = " version ";

/* A number of at most three digits; moves *@at behind it. */
static bool take_number(const char **at, const char *end, unsigned int *ret)
{
	const char *p = *at;

	*ret = 0;
	while (p < end && p - *at < 3 && *p >= '0' && *p <= '9')
		*ret = *ret * 10 + (unsigned int)(*p++ - '0');
	if (p == *at)
		return false;
	*at = p;
	return true;
}

static bool take_dot(const char **at, const char *end)
{
	if (*at >= end || **at != '.')
		return false;
	(*at)++;
	return true;
}

/* @p is just behind "qemu-": the target's name, " version " and the numbers. */
static bool parse(const char *p, const char *end, struct version *ret)
{
	size_t name = 0, n = strlen(between);
	struct version v;

	while (p < end && name < 16 && *p != ' ' && *p >= '0' && *p <= 'z') {
		p++;
		name++;
	}
	if (!name || (size_t)(end - p) < n || memcmp(p, between, n) != 0)
		return false;
	p += n;
	if (!take_number(&p, end, &v.major) || !take_dot(&p, end) ||
	    !take_number(&p, end, &v.minor) || !take_dot(&p, end) ||
	    !take_number(&p, end, &v.patch))
		return false;
	*ret = v;
	return true;
}

bool version_find(const void *bytes, size_t n, struct version *ret)
{
	const char *p = bytes, *end = p + n;

	while ((p = memmem(p, (size_t)(end - p), before, strlen(before)))) {
		p += strlen(before);
		if (parse(p, end, ret))
			return true;
	}
	return false;
}

static bool find_between(int fd, uint64_t at, uint64_t end, char *chunk, struct version *ret)
{
	while (at < end) {
		ssize_t n = pread(fd, chunk, CHUNK, (off_t)at);

		if (n <= 0)
			return false;
		if (version_find(chunk, (size_t)n, ret))
			return true;
		at += n > OVERLAP ? (uint64_t)n - OVERLAP : (uint64_t)n;
	}
	return false;
}

/* Constants follow the code, which is about half of every emulator: there first. */
bool version_of_file(int fd, uint64_t size, struct version *ret)
{
	CLEANUP_FREE char *chunk = size <= LARGEST_FILE ? malloc(CHUNK) : NULL;

	return chunk && (find_between(fd, size / 2, size, chunk, ret) ||
			 find_between(fd, 0, size / 2, chunk, ret));
}
