/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/title.h"

#include <string.h>

#include "runtime/base/mem.h"

/* The kernel lays the strings out one behind the other. */
static size_t room(char **argv)
{
	char *end = argv[0];

	for (size_t i = 0; argv[i] == end; i++)
		end += strlen(end) + 1;
	return (size_t)(end - argv[0]);
}

void title_set(char **argv, const char *const *words)
{
	size_t size = room(argv), used = 0;
	CLEANUP_FREE char *text = calloc(1, size);

	for (size_t i = 0; text && words[i]; i++) {
		size_t n = strlen(words[i]) + 1;

		if (n > size - used)
			break;
		memcpy(text + used, words[i], n);
		used += n;
	}
	if (text)
		memcpy(argv[0], text, size);
}
